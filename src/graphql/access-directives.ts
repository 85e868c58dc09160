import {
  defaultFieldResolver,
  getNamedType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  valueFromASTUntyped,
  type ConstDirectiveNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import type { RequiredScopes } from '../kernel/scopes';

// graphql-js types what fields get and give as `any`; so these are its own types.
type Field = ReturnType<GraphQLObjectType['getFields']>[string];
type Resolver = NonNullable<Field['resolve']>;

/** What a field asks of its caller: credentials, and of each member any of the lists. */
export type Requirements = readonly RequiredScopes[];

/** Throws unless the caller of a context meets the requirements. */
export type Guard<Context> = (context: Context, requirements: Requirements) => void;

/** A directive that cannot be enforced as it stands; whoever enforces refuses to start. */
export class DirectiveError extends Error {
  constructor(coordinate: string, problem: string) {
    super(`${coordinate}: ${problem}`);
    this.name = 'DirectiveError';
  }
}

/**
 * Puts a guard before every field of an object type that carries `@authenticated` or
 * `@requiresScopes`, itself, on its type or on the type it answers with, whatever path leads there.
 * Changes the schema's resolvers in place; how many fields are guarded is answered.
 * Source: Apollo Federation, "Auth directives" (outer list OR, inner lists AND).
 * @param isScope whether there is a scope of that name
 * @throws DirectiveError on an unknown scope, an empty list, a directive on an interface, or a
 * protected field that is not nullable
 */
export function guardFields<Context>(
  schema: GraphQLSchema,
  isScope: (name: string) => boolean,
  guard: Guard<Context>,
): number {
  let guarded = 0;
  for (const type of Object.values(schema.getTypeMap())) {
    if (isInterfaceType(type)) refuseOnInterface(type.name, typeDirectives(type));
    if (!isInterfaceType(type) && !isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      if (isInterfaceType(type)) {
        refuseOnInterface(coordinate, field.astNode?.directives ?? []);
        continue;
      }
      const requirements = requirementsOf(type, field, isScope);
      if (requirements === undefined) continue;
      if (isNonNullType(field.type)) {
        throw new DirectiveError(coordinate, 'a protected field must be nullable.');
      }
      guardField(field, requirements, guard);
      guarded += 1;
    }
  }
  return guarded;
}

function guardField<Context>(field: Field, requirements: Requirements, guard: Guard<Context>) {
  const guarded =
    (resolve: Resolver): Resolver =>
    (source: unknown, args: unknown, context: Context, info): unknown => {
      guard(context, requirements);
      return resolve(source, args, context, info);
    };
  field.resolve = guarded(field.resolve ?? defaultFieldResolver);
  if (field.subscribe !== undefined) field.subscribe = guarded(field.subscribe);
}

/**
 * What it takes to see a field: by its own directives, those of its type and those of the type it
 * answers with. undefined: nothing.
 * @throws DirectiveError on an empty list or an unknown scope
 */
export function requirementsOf(
  type: GraphQLNamedType,
  field: Pick<Field, 'name' | 'type' | 'astNode'>,
  isScope: (name: string) => boolean,
): Requirements | undefined {
  const coordinate = `${type.name}.${field.name}`;
  const directives = [
    ...(field.astNode?.directives ?? []),
    ...typeDirectives(type),
    ...typeDirectives(getNamedType(field.type)),
  ].filter(isAccessDirective);
  if (directives.length === 0) return undefined;
  return directives
    .filter(({ name }) => name.value.endsWith('requiresScopes'))
    .map((directive) => readScopes(coordinate, directive, isScope));
}

function readScopes(
  coordinate: string,
  directive: ConstDirectiveNode,
  isScope: (name: string) => boolean,
): RequiredScopes {
  const value = directive.arguments?.find(({ name }) => name.value === 'scopes')?.value;
  const lists: unknown = value && valueFromASTUntyped(value);
  if (!isListOfLists(lists) || lists.length === 0 || lists.some((list) => list.length === 0)) {
    throw new DirectiveError(coordinate, '@requiresScopes needs at least one scope in every list.');
  }
  const unknown = lists.flat().find((scope) => !isScope(scope));
  if (unknown !== undefined) {
    throw new DirectiveError(coordinate, `@requiresScopes names the unknown scope "${unknown}".`);
  }
  return lists;
}

function isListOfLists(value: unknown): value is string[][] {
  const isScopes = (list: unknown): boolean =>
    Array.isArray(list) && list.every((scope) => typeof scope === 'string');
  return Array.isArray(value) && value.every(isScopes);
}

function typeDirectives(type: GraphQLNamedType): readonly ConstDirectiveNode[] {
  const nodes = [type.astNode, ...type.extensionASTNodes];
  return nodes.flatMap((node) => node?.directives ?? []);
}

// What a schema does not import has federation's namespace in front: @federation__requiresScopes.
function isAccessDirective({ name }: ConstDirectiveNode): boolean {
  return /^(?:\w+__)?(?:authenticated|requiresScopes)$/.test(name.value);
}

// Implementations may be reached without passing the interface, so a directive there guards nothing.
function refuseOnInterface(coordinate: string, directives: readonly ConstDirectiveNode[]): void {
  if (!directives.some(isAccessDirective)) return;
  throw new DirectiveError(
    coordinate,
    'access directives cannot be enforced on an interface; put them on the types that implement it.',
  );
}
