import type { ApolloServerPlugin } from '@apollo/server';
import { BREAK, GraphQLError, visit, type DocumentNode } from 'graphql';
import type { IntrospectionAccess } from '../config';
import type { FieldRefusedError } from '../kernel/errors';
import { unauthenticated } from '../kernel/principal';
import type { RequestContext } from './context';

const schemaFields = new Set(['__schema', '__type', '_service']);

/**
 * Lets only those read the schema who may: introspection and `_service` share one setting.
 * Refuses the whole request, since who asks for the schema asks for nothing else.
 */
export function schemaAccessPlugin(
  access: IntrospectionAccess,
): ApolloServerPlugin<RequestContext> {
  if (access === 'public') return {};
  return {
    requestDidStart: async () =>
      Promise.resolve({
        async didResolveOperation({ document, contextValue }) {
          const refused = readsSchema(document) ? refusal(access, contextValue) : undefined;
          return refused === undefined ? Promise.resolve() : Promise.reject(refused);
        },
      }),
  };
}

function refusal(
  access: IntrospectionAccess,
  { caller }: RequestContext,
): FieldRefusedError | GraphQLError | undefined {
  if (access === 'off') {
    return new GraphQLError('This server does not give out its schema.', {
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED', http: { status: 400 } },
    });
  }
  return caller.principal.kind === 'ANONYMOUS' ? unauthenticated() : undefined;
}

function readsSchema(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Field({ name }) {
      if (!schemaFields.has(name.value)) return undefined;
      found = true;
      return BREAK;
    },
  });
  return found;
}
