import type { ApolloServerPlugin } from '@apollo/server';
import { getOperationAST } from 'graphql';
import { operationCost, type ListSizes } from './document-cost';
import type { DocumentLimits } from './document-limits';
import { fieldCost } from './field-cost';
import { limitRefusal } from './limit-refusal';

/**
 * Refuses an operation that may resolve more than `maxCost` fields, before anything of it runs,
 * with HTTP 400. Runs when the operation and its variables are known, thus also for documents
 * that Apollo has parsed and validated earlier.
 * @param listSizes tells the length of lists that are not paged by `first` and `last`
 */
export function costLimitPlugin(
  { maxCost }: Pick<DocumentLimits, 'maxCost'>,
  listSizes: ListSizes = {},
): ApolloServerPlugin {
  return {
    requestDidStart: () =>
      Promise.resolve({
        didResolveOperation({ schema, document, request }) {
          const operation = getOperationAST(document, request.operationName);
          if (operation) {
            const variables = request.variables ?? {};
            const input = { schema, document, operation, variables, listSizes, fieldCost, maxCost };
            const cost = operationCost(input);
            if (cost > maxCost) throw limitRefusal('cost', maxCost, cost);
          }
          return Promise.resolve();
        },
      }),
  };
}
