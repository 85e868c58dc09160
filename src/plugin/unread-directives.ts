import {
  getNamedType,
  isInterfaceType,
  isObjectType,
  valueFromASTUntyped,
  type ConstDirectiveNode,
  type GraphQLSchema,
} from 'graphql';
import { DirectiveError } from '../graphql/access-directives';

const accessDirectives = ['authenticated', 'requiresScopes'];

/** What directives can stand on: in its SDL, and where code-first libraries keep them. */
interface Annotated {
  readonly extensions: object;
  readonly astNode?: { readonly directives?: readonly ConstDirectiveNode[] } | null | undefined;
}

/**
 * Refuses a schema with access directives that nobody would read: imported under another name, or
 * kept beside the SDL only.
 * @throws DirectiveError naming the place
 */
export function refuseUnreadDirectives(schema: GraphQLSchema): void {
  refuseRenamed(schema);
  for (const type of Object.values(schema.getTypeMap())) {
    refuseBesideSdl(type.name, type);
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      refuseBesideSdl(`${type.name}.${field.name}`, field);
    }
  }
}

const accessLocations = ['ENUM', 'FIELD_DEFINITION', 'INTERFACE', 'OBJECT', 'SCALAR'].join();

/**
 * Refuses a supergraph with directives that look like access directives under another name:
 * composition keeps a name under which all subgraphs import one, and gateways drop the `@link` that
 * would tell; only the definition is left.
 * @throws DirectiveError naming the directive
 */
export function refuseRenamedInSupergraph(schema: GraphQLSchema): void {
  for (const { name, args, locations } of schema.getDirectives()) {
    if (accessDirectives.some((each) => name === each || name.endsWith(`__${each}`))) continue;
    const original = args.some(({ type }) => getNamedType(type).name.endsWith('__Scope'))
      ? '@requiresScopes'
      : '@authenticated';
    const alike = args.length === 0 && [...locations].sort().join() === accessLocations;
    if (original === '@authenticated' && !alike) continue;
    throw new DirectiveError(
      'schema',
      `@${name} is defined like ${original} under another name; import it without "as".`,
    );
  }
}

function refuseRenamed(schema: GraphQLSchema): void {
  const nodes = [schema.astNode, ...schema.extensionASTNodes];
  const imports = nodes
    .flatMap((node) => node?.directives ?? [])
    .flatMap(({ arguments: given }) => given?.find(({ name }) => name.value === 'import') ?? [])
    .map(({ value }): unknown => valueFromASTUntyped(value));
  const read = accessDirectives.map((name) => `@${name}`);
  for (const each of imports.flat()) {
    if (typeof each !== 'object' || each === null) continue;
    const { name, as }: { name?: unknown; as?: unknown } = each;
    if (as == null || as === name || !read.some((directive) => directive === name)) continue;
    throw new DirectiveError(
      'schema',
      `${String(name)} is imported under another name; drop the "as".`,
    );
  }
}

function refuseBesideSdl(coordinate: string, { extensions, astNode }: Annotated): void {
  const { directives }: { directives?: unknown } = extensions;
  if (typeof directives !== 'object' || directives === null) return;
  const beside = Array.isArray(directives)
    ? directives.map((each: { name?: unknown }) => each.name)
    : Object.keys(directives);
  const read = astNode?.directives?.map(({ name }) => name.value) ?? [];
  const unread = accessDirectives.find((name) => beside.includes(name) && !read.includes(name));
  if (unread === undefined) return;
  throw new DirectiveError(
    coordinate,
    `@${unread} stands in extensions.directives, not in the SDL.`,
  );
}
