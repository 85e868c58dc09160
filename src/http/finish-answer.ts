import type { HTTPGraphQLResponse } from '@apollo/server';
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { isLimitRefusal } from '../graphql/limit-refusal';

// Faults of the document itself, for which `application/json` clients expect 200: to them other
// statuses mean that no GraphQL server was reached (GraphQL over HTTP, section 6.4.1).
const documentFaults = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_USER_INPUT',
]);

/**
 * Finishes Apollo's answer to a request that it refused: errors that no plugin saw (a body that is
 * no GraphQL request) get their request id, and faults of the document are answered with 200 to
 * clients that want `application/json`. Refusals by a limit stay 400.
 */
export function finishAnswer(answer: HTTPGraphQLResponse, requestId: string): HTTPGraphQLResponse {
  if (answer.status === undefined || answer.status < 400) return answer;
  if (answer.body.kind !== 'complete') return answer;
  const result = JSON.parse(answer.body.string) as FormattedExecutionResult; // Apollo wrote it
  const errors = (result.errors ?? []).map((error) => ({
    ...error,
    extensions: { requestId, ...error.extensions },
  }));
  const type = answer.headers.get('content-type') ?? '';
  const lenient = answer.status === 400 && type.startsWith('application/json');
  return {
    headers: answer.headers,
    status: lenient && errors.every(isDocumentFault) ? 200 : answer.status,
    body: { kind: 'complete', string: JSON.stringify({ ...result, errors }) },
  };
}

function isDocumentFault(error: GraphQLFormattedError): boolean {
  return documentFaults.has(String(error.extensions?.code)) && !isLimitRefusal(error);
}
