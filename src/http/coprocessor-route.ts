import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { newJournal } from '../graphql/context';
import { retryAfterSeconds } from '../kernel/challenges';
import { AppError, InputError, UnavailableError } from '../kernel/errors';
import type { Logger } from '../kernel/logger';
import type { Principal } from '../kernel/principal';
import { recordable, redactKeys } from '../kernel/redaction';
import { checkText } from '../kernel/text';
import { addressOf } from './client';
import {
  breakOff,
  headerValues,
  letGoOn,
  letPass,
  readMessage,
  type Claims,
  type RequestMessage,
} from './coprocessor-message';
import { answerTo } from './error-answer';
import { authenticate, type ClientRequest, type GraphqlRouteParts } from './graphql-route';
import { requestIdOf } from './request-id';

/** What the coprocessor needs of others. */
export interface CoprocessorParts extends Pick<GraphqlRouteParts, 'authenticator'> {
  readonly logger: Logger;
}

/**
 * Serves Apollo Router's external coprocessing at `/coprocessor`: judges the key of a client's
 * request before the router plans it, so that the router enforces `@requiresScopes` itself. What it
 * tells about a key is what the key's holder may know, so the router needs no credentials of its own
 * (for which it has no setting; see ADR 15).
 */
export function serveCoprocessor(app: FastifyInstance, parts: CoprocessorParts): void {
  app.post('/coprocessor', {
    handler: async (request, reply) => {
      const message = readMessage(request.body);
      return message.judged ? judge(message, request, reply, parts) : letPass(message);
    },
    // After the usage hook, which answers with 503 when a request cannot be recorded.
    onSend: async (request, reply, payload) => {
      const { statusCode: status } = reply;
      const message = status === 503 ? readMessage(request.body) : undefined;
      if (message?.judged !== true) return Promise.resolve(payload);
      const headers = { 'retry-after': retryAfterSeconds };
      reply.code(200);
      return Promise.resolve(
        JSON.stringify(breakOff(message, { status, headers, body: String(payload) })),
      );
    },
  });
}

async function judge(
  message: RequestMessage,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: CoprocessorParts,
): Promise<object> {
  const journal = { ...newJournal(message.operation), service: serviceIn(request) };
  const asked = clientRequestIn(message, request);
  const { requestId } = asked.client;
  try {
    const principal = await authenticate(request, reply, journal, parts, asked);
    return letGoOn(message, claimsOf(principal));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error instanceof UnavailableError) {
      parts.logger.warn({ err: error, requestId }, 'a request could not be decided');
    }
    return breakOff(message, answerTo(error, requestId));
  }
}

function serviceIn({ query }: FastifyRequest): string {
  const { service = 'router' }: { service?: unknown } =
    typeof query === 'object' ? { ...query } : {};
  if (typeof service !== 'string') throw new InputError('service', 'service must be given once.');
  return redactKeys(checkText(service, 'service', { min: 1, max: 100 }));
}

function clientRequestIn({ id, headers }: RequestMessage, request: FastifyRequest): ClientRequest {
  const [given = id] = headerValues(headers, 'x-request-id');
  const [userAgent] = headerValues(headers, 'user-agent');
  return {
    client: {
      requestId: requestIdOf({ headers: { 'x-request-id': given } }),
      ip: addressIn(headers, request),
      userAgent: userAgent === undefined ? null : recordable(userAgent),
    },
    rawHeaders: Object.entries(headers).flatMap(([name, values]) =>
      values.flatMap((value) => [name, value]),
    ),
  };
}

const addresses = /^[\d.:a-f, ]+$/i;

// The nearest count: a message has room for so many that looking through them takes too long.
const mostProxies = 100;

// A router is one more proxy: what it was told of those before it is believed as far as if it stood
// in the header of Keyward's own request, which is to say, only if KEYWARD_TRUST_PROXY names it.
function addressIn(headers: RequestMessage['headers'], request: FastifyRequest): string | null {
  const all = headerValues(headers, 'x-forwarded-for').flatMap((value) => value.split(','));
  const told = all.slice(-mostProxies).join(',');
  const { headers: own } = request.raw;
  if (addresses.test(told)) {
    own['x-forwarded-for'] = [told, own['x-forwarded-for'] ?? []].flat().join(',');
  }
  return addressOf(request);
}

function claimsOf(principal: Principal): Claims | undefined {
  if (principal.kind === 'ANONYMOUS') return undefined;
  const { actor, scopes, organizationId, environment } = principal;
  return {
    sub: actor.id ?? '',
    scope: [...scopes].join(' '),
    organization_id: organizationId,
    environment,
  };
}
