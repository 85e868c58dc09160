import { GraphQLError } from 'graphql';
import { challenges, retryAfterSeconds } from '../kernel/challenges';
import { AuthenticationError, type AppError } from '../kernel/errors';
import type { ClientRequest } from './client-request';

const credentialRefusals = ['MALFORMED', 'UNKNOWN', 'EXPIRED', 'REVOKED'] as const;

/** What a GraphQL error says of HTTP; the server takes it from `extensions.http`. */
interface Http {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** The refusal of the whole request for what Keyward says of its key. */
export function badCredentials(outcome: string, source: ClientRequest): GraphQLError {
  const known = credentialRefusals.find((each) => each === outcome);
  const message =
    known === undefined ? 'The API key is not accepted.' : new AuthenticationError(known).message;
  const headers = { 'www-authenticate': challenges.badCredentials };
  return refused(message, { code: 'UNAUTHENTICATED', reason: outcome }, source, {
    status: 401,
    headers,
  });
}

/** The refusal of a request with more than one Authorization header. */
export function ambiguousCredentials(source: ClientRequest): GraphQLError {
  const extensions = { code: 'BAD_USER_INPUT', field: 'Authorization' };
  const message = 'Send exactly one Authorization header.';
  return refused(message, extensions, source, { status: 400, headers: {} });
}

/** The refusal of a request that cannot be decided just now. */
export function unavailable(source: ClientRequest): GraphQLError {
  const message = 'Who is calling cannot be checked just now. Send the request again.';
  const headers = { 'retry-after': retryAfterSeconds };
  return refused(message, { code: 'UNAVAILABLE' }, source, { status: 503, headers });
}

/** The extensions of an error that refuses a field, as Keyward's own have them. */
export function extensionsOf({ code, details }: AppError): Record<string, unknown> {
  return { code, ...details };
}

// Apollo Server takes the headers as a Map only, Yoga as an object only.
function refused(
  message: string,
  extensions: Readonly<Record<string, unknown>>,
  { request }: ClientRequest,
  { status, headers }: Http,
): GraphQLError {
  const http = {
    status,
    headers: request === undefined ? new Map(Object.entries(headers)) : headers,
  };
  const all: Readonly<Record<string, unknown>> = { ...extensions, http };
  return new GraphQLError(message, { extensions: all });
}
