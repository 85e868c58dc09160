import { defaultFieldResolver, GraphQLError, GraphQLSchema, isNamedType } from 'graphql';
import { DirectiveError, guardFields, type Requirements } from '../graphql/access-directives';
import { unauthenticated } from '../kernel/principal';
import { insufficientScope } from '../kernel/scopes';
import { judgeAnew, scopesOf } from './caller';
import { extensionsOf } from './refusal';
import { refuseUnreadDirectives } from './unread-directives';

/** What is known of the scopes that directives may name. */
export interface EnforcementOptions {
  /** The product's catalogue: a directive that names another scope is then refused at the start. */
  readonly scopes?: readonly string[];
}

/**
 * Enforces `@authenticated` and `@requiresScopes` in a subgraph of your own, as Keyward does in its:
 * on every field that carries one, itself, on its type or on the type it answers with, by what
 * `keywardContext` put into the context; a context that says nothing of a caller sees none of them.
 * Each event of a subscription is judged anew.
 * Changes the schema's resolvers in place, and gives the schema back.
 * @throws DirectiveError on directives that cannot be enforced as they stand, or when there are
 * none: they must stand in the schema's SDL, as makeExecutableSchema and buildSubgraphSchema keep it
 * @throws Error when the schema was made by another copy of the package `graphql`
 */
export function enforceScopes(
  schema: GraphQLSchema,
  { scopes }: EnforcementOptions = {},
): GraphQLSchema {
  refuseForeign(schema);
  refuseUnreadDirectives(schema);
  const known = scopes && new Set(scopes);
  const isScope = (name: string): boolean => known?.has(name) ?? true;
  if (guardFields<unknown>(schema, isScope, requireScopes) === 0) {
    throw new DirectiveError(
      'schema',
      'no field carries @authenticated or @requiresScopes. Directives are read from the SDL (astNode); ' +
        'a schema that keeps them elsewhere must be printed with them and built again.',
    );
  }
  judgeEvents(schema);
  return schema;
}

// A subscription goes on after its key was revoked: its events do not.
function judgeEvents(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    const resolve = field.resolve ?? defaultFieldResolver;
    field.resolve = async (event, args, context: unknown, info): Promise<unknown> => {
      await judgeAnew(context);
      return resolve(event, args, context, info);
    };
  }
}

function requireScopes(context: unknown, requirements: Requirements): void {
  const effective = scopesOf(context);
  const refusal =
    effective === undefined
      ? unauthenticated()
      : insufficientScope(effective, requirements, 'the key does');
  if (refusal === undefined) return;
  throw new GraphQLError(refusal.message, { extensions: extensionsOf(refusal) });
}

// To this copy of graphql, the types of another are no types at all: nothing would be guarded.
function refuseForeign(schema: GraphQLSchema): void {
  const own =
    schema instanceof GraphQLSchema && Object.values(schema.getTypeMap()).every(isNamedType);
  if (own) return;
  throw new Error(
    'The schema was made by another copy of the package graphql than the one Keyward uses, so ' +
      'nothing in it can be enforced. Install graphql once: `npm ls graphql` shows the copies.',
  );
}
