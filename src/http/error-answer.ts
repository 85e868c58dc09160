import type { FastifyReply, FastifyRequest } from 'fastify';
import { challenges, retryAfterSeconds } from '../kernel/challenges';
import { extensionsOf, maskedMessage } from '../graphql/client-error';
import { AppError, AuthenticationError, FieldRefusedError, type ErrorCode } from '../kernel/errors';
import { echoable } from '../kernel/redaction';
import { maxBodyBytes } from './json-body';

/** An HTTP answer that refuses a request, in the shape of a GraphQL response. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The media type that a client which reads both prefers (GraphQL over HTTP). */
const graphqlResponse = 'application/graphql-response+json';

/**
 * The answer to an error that was met outside GraphQL's execution.
 * @param bodyLimit the longest body that would have been read, in bytes
 */
export function answerTo(
  error: unknown,
  requestId: string,
  bodyLimit: number = maxBodyBytes,
): ErrorAnswer {
  const { status, message, extensions } = describe(error, bodyLimit);
  return {
    status,
    headers: headersFor(error, status),
    body: JSON.stringify({ errors: [{ message, extensions: { ...extensions, requestId } }] }),
  };
}

/** Sends the answer to an error. */
export async function sendError(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): Promise<FastifyReply> {
  const { status, headers, body } = answerTo(error, request.id, request.routeOptions.bodyLimit);
  return reply.code(status).headers(headers).type(errorType(request)).send(body);
}

const statuses = new Map<ErrorCode, number>([
  ['NOT_FOUND', 404],
  ['UNAVAILABLE', 503],
]);

/** Whether an error is Keyward's own fault, to be logged whole. */
export function isInternal(error: unknown): boolean {
  return describe(error).status === 500;
}

/** The media type of an error's answer. */
export function errorType(request: FastifyRequest): string {
  const type = request.headers.accept?.includes(graphqlResponse)
    ? graphqlResponse
    : 'application/json';
  return `${type}; charset=utf-8`;
}

function describe(
  error: unknown,
  bodyLimit = maxBodyBytes,
): { status: number; message: string; extensions: object } {
  if (error instanceof AppError) {
    const status = refusalOf(error)?.status ?? statuses.get(error.code) ?? 400;
    return { status, message: echoable(error.message), extensions: extensionsOf(error) };
  }
  const status = httpStatus(error);
  if (error instanceof Error && status !== undefined && status < 500) {
    const message =
      status === 413
        ? `The body is too large: ${bodyLimit} bytes are allowed.`
        : echoable(error.message);
    return { status, message, extensions: { code: 'BAD_REQUEST' } };
  }
  return { status: 500, message: maskedMessage, extensions: { code: 'INTERNAL_SERVER_ERROR' } };
}

// Outside GraphQL there are no siblings: what is refused is the whole request (RFC 6750, section 3).
function refusalOf(error: unknown): { status: number; challenge: string } | undefined {
  if (error instanceof AuthenticationError) {
    return { status: 401, challenge: challenges.badCredentials };
  }
  if (!(error instanceof FieldRefusedError)) return undefined;
  return error.reason === 'UNAUTHENTICATED'
    ? { status: 401, challenge: challenges.noCredentials }
    : { status: 403, challenge: challenges.insufficientScope };
}

// Fastify's own errors carry the status they stand for.
function httpStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

function headersFor(error: unknown, status: number): Readonly<Record<string, string>> {
  const challenge = refusalOf(error)?.challenge;
  if (challenge !== undefined) return { 'www-authenticate': challenge };
  return status === 503 ? { 'retry-after': retryAfterSeconds } : {};
}
