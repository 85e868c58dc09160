import type { GraphQLSchema } from 'graphql';
import { requireKnown } from '../kernel/principal';
import { insufficientScope, type ScopeCatalogue } from '../kernel/scopes';
import { guardFields, type Requirements } from './access-directives';
import type { RequestContext } from './context';

/**
 * Enforces `@authenticated` and `@requiresScopes` at run time, from the directives that the schema
 * prints. Changes the schema's resolvers in place.
 * @throws DirectiveError on what cannot be enforced, unknown scopes among it
 */
export function enforceScopes(schema: GraphQLSchema, catalogue: ScopeCatalogue): void {
  guardFields(schema, (name) => catalogue.has(name), requireScopes);
}

/**
 * Lets only callers with credentials and the required scopes pass; notes a missing scope in the
 * request's journal.
 * @throws FieldRefusedError with reason UNAUTHENTICATED or INSUFFICIENT_SCOPE
 */
export function requireScopes(
  { caller, journal }: RequestContext,
  requirements: Requirements,
): void {
  const principal = requireKnown(caller.principal);
  const holder = principal.kind === 'API_KEY' ? 'the key does' : 'you do';
  const refusal = insufficientScope(principal.scopes, requirements, holder);
  if (refusal === undefined) return;
  journal.refused = 'INSUFFICIENT_SCOPE';
  throw refusal;
}
