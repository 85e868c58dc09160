import type {
  ApolloServerPlugin,
  GraphQLRequestContextWillSendResponse,
  GraphQLRequestListener,
} from '@apollo/server';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { challenges, retryAfterSeconds } from '../kernel/challenges';
import { UnavailableError } from '../kernel/errors';
import type { Logger } from '../kernel/logger';
import { redactKeys } from '../kernel/redaction';
import { refusalOfAll } from '../kernel/refused-request';
import { causeOf, isUnexpected } from './client-error';
import type { RequestContext } from './context';

const maxLoggedErrors = 5;

/**
 * Finishes each answer: notes the operation, logs unexpected errors whole, gives every error its
 * request id, and turns refusals of the whole request into their HTTP statuses.
 */
export function answerPlugin(logger: Logger): ApolloServerPlugin<RequestContext> {
  const listener: GraphQLRequestListener<RequestContext> = {
    async didResolveOperation({ operationName, contextValue }) {
      contextValue.journal.operation = operationName === null ? null : redactKeys(operationName);
      return Promise.resolve();
    },
    async didEncounterErrors({ errors, contextValue }) {
      logErrors(logger, errors, contextValue.caller.requestId);
      return Promise.resolve();
    },
    async willSendResponse(request) {
      finish(request);
      return Promise.resolve();
    },
  };
  return { requestDidStart: async () => Promise.resolve(listener) };
}

// Refusals are answers, not events; of many errors in one request the first say it all.
function logErrors(logger: Logger, errors: readonly GraphQLError[], requestId: string): void {
  const unavailable = errors.map(causeOf).find((cause) => cause instanceof UnavailableError);
  if (unavailable !== undefined) {
    logger.warn({ err: unavailable, requestId }, 'a request could not be decided');
  }
  for (const error of errors.filter(isUnexpected).slice(0, maxLoggedErrors)) {
    const path = redactKeys(error.path?.join('.') ?? '');
    logger.error({ err: causeOf(error), requestId, path }, 'a request met an error');
  }
}

function finish({ response, contextValue }: GraphQLRequestContextWillSendResponse<RequestContext>) {
  if (response.body.kind !== 'single') return;
  const { singleResult: result } = response.body;
  if (result.errors === undefined) return;
  const { requestId } = contextValue.caller;
  result.errors = result.errors.map((error) => ({
    ...error,
    extensions: { ...error.extensions, requestId },
  }));
  const { status, headers } = refusal(result.data, result.errors) ?? {};
  if (status !== undefined) response.http.status = status;
  for (const [name, value] of Object.entries(headers ?? {})) response.http.headers.set(name, value);
}

interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

// What one error says of the whole request comes before what all of them say together.
function refusal(
  data: Record<string, unknown> | null | undefined,
  errors: readonly GraphQLFormattedError[],
): Refusal | undefined {
  const codes = errors.map(({ extensions }) => extensions?.code);
  if (codes.includes('UNAVAILABLE')) {
    return { status: 503, headers: { 'retry-after': retryAfterSeconds } };
  }
  if (codes.includes('UNAUTHENTICATED')) {
    return { status: 401, headers: { 'www-authenticate': challenges.badCredentials } };
  }
  return refusalOfAll(data, errors);
}
