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
import { FieldRefusedError } from '../kernel/errors';
import { unauthenticated, type Principal } from '../kernel/principal';
import { missingScopes, type RequiredScopes, type ScopeCatalogue } from '../kernel/scopes';
import type { RequestContext } from './context';

// graphql-js types what fields get and give as `any`; so these are its own types.
type Field = ReturnType<GraphQLObjectType['getFields']>[string];

/** A directive that cannot be enforced as it stands; Keyward refuses to start. */
export class DirectiveError extends Error {
  constructor(coordinate: string, problem: string) {
    super(`${coordinate}: ${problem}`);
    this.name = 'DirectiveError';
  }
}

/**
 * Enforces `@authenticated` and `@requiresScopes` at run time, from the directives that the schema
 * prints: every field of an object type that carries one, itself, on its type or on the type it
 * answers with, is guarded whatever path led there. Changes the schema's resolvers in place.
 * Source: Apollo Federation, "Auth directives" (outer list OR, inner lists AND).
 * @throws DirectiveError on an unknown scope, an empty list, a directive on an interface, or a
 * protected field that is not nullable
 */
export function enforceScopes(schema: GraphQLSchema, catalogue: ScopeCatalogue): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isInterfaceType(type)) refuseOnInterface(type.name, typeDirectives(type));
    if (isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        refuseOnInterface(`${type.name}.${field.name}`, field.astNode?.directives ?? []);
      }
    }
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) guard(type, field, catalogue);
  }
}

function guard(type: GraphQLObjectType, field: Field, catalogue: ScopeCatalogue): void {
  const coordinate = `${type.name}.${field.name}`;
  const directives = [
    ...(field.astNode?.directives ?? []),
    ...typeDirectives(type),
    ...typeDirectives(getNamedType(field.type)),
  ].filter(isAccessDirective);
  if (directives.length === 0) return;
  if (isNonNullType(field.type)) {
    throw new DirectiveError(coordinate, 'a protected field must be nullable.');
  }
  const requirements = directives
    .filter(({ name }) => name.value === 'requiresScopes')
    .map((directive) => readScopes(coordinate, directive, catalogue));
  const { resolve = defaultFieldResolver } = field;
  field.resolve = (source: unknown, args: unknown, context: RequestContext, info): unknown => {
    requireScopes(context, requirements);
    return resolve(source, args, context, info);
  };
}

/**
 * Lets only callers with credentials and the required scopes pass; notes a missing scope in the
 * request's journal.
 * @throws FieldRefusedError with reason UNAUTHENTICATED or INSUFFICIENT_SCOPE
 */
export function requireScopes(
  { caller, journal }: RequestContext,
  requirements: readonly RequiredScopes[],
): void {
  const refusal = judge(caller.principal, requirements);
  if (refusal === undefined) return;
  if (refusal.reason === 'INSUFFICIENT_SCOPE') journal.refused = 'INSUFFICIENT_SCOPE';
  throw refusal;
}

function judge(
  principal: Principal,
  requirements: readonly RequiredScopes[],
): FieldRefusedError | undefined {
  if (principal.kind === 'ANONYMOUS') return unauthenticated();
  for (const requiredScopes of requirements) {
    const missing = missingScopes(principal.scopes, requiredScopes);
    if (missing.length === 0) continue;
    const wanted = missing.map((all) => all.join(' and ')).join(', or ');
    const holder = principal.kind === 'API_KEY' ? 'the key does' : 'you do';
    return new FieldRefusedError(
      'INSUFFICIENT_SCOPE',
      `This field needs a scope that ${holder} not have: ${wanted}.`,
      { requiredScopes, missingScopes: missing },
    );
  }
  return undefined;
}

function readScopes(
  coordinate: string,
  directive: ConstDirectiveNode,
  catalogue: ScopeCatalogue,
): RequiredScopes {
  const value = directive.arguments?.find(({ name }) => name.value === 'scopes')?.value;
  const lists: unknown = value && valueFromASTUntyped(value);
  if (!isListOfLists(lists) || lists.length === 0 || lists.some((list) => list.length === 0)) {
    throw new DirectiveError(coordinate, '@requiresScopes needs at least one scope in every list.');
  }
  const unknown = lists.flat().find((scope) => !catalogue.has(scope));
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

function isAccessDirective({ name }: ConstDirectiveNode): boolean {
  return name.value === 'authenticated' || name.value === 'requiresScopes';
}

// Implementations may be reached without passing the interface, so a directive there guards nothing.
function refuseOnInterface(coordinate: string, directives: readonly ConstDirectiveNode[]): void {
  if (!directives.some(isAccessDirective)) return;
  throw new DirectiveError(
    coordinate,
    'access directives cannot be enforced on an interface; put them on the types that implement it.',
  );
}
