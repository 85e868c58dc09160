import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestJournal } from '../graphql/context';
import type { Clock } from '../kernel/clock';
import { UnavailableError } from '../kernel/errors';
import type { KeyRequest } from '../kernel/key-request';
import type { Logger } from '../kernel/logger';
import { echoable } from '../kernel/redaction';
import type { PresentedKey } from '../keys/verification.service';
import type { UsageService } from '../usage/usage.service';
import { answerTo, errorType } from './error-answer';

/** What a request leaves for its records. */
interface KeyUse {
  readonly journal: RequestJournal;
  /** The key it was made with. */
  readonly key?: PresentedKey;
  readonly refused?: 'EXPIRED' | 'REVOKED';
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once the request's credentials are read. */
    keyUse: KeyUse | null;
    /** When it came in, in milliseconds of the monotonic clock. */
    receivedAtMs: number;
  }
}

/** What recording needs of others. */
export interface UsageHookParts {
  readonly usage: UsageService;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Records every request made with a key, and every verification that a request asked for, before
 * its answer leaves, whatever the answer is. If the records cannot be written, the answer is 503
 * instead: what is answered is recorded.
 */
export function recordUsage(app: FastifyInstance, { usage, clock, logger }: UsageHookParts): void {
  app.decorateRequest('keyUse', null);
  app.decorateRequest('receivedAtMs', 0);
  app.addHook('onRequest', (request, _reply, done) => {
    request.receivedAtMs = clock.monotonicMs();
    done();
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const { keyUse } = request;
    if (keyUse === null) return payload;
    request.keyUse = null; // an answer that is replaced must not be recorded twice
    const records = recordsOf(keyUse, request, clock);
    if (records.length === 0) return payload;
    try {
      await usage.record(records);
      return payload;
    } catch (error) {
      logger.warn({ err: error, requestId: request.id }, 'a request could not be recorded');
      const answer = answerTo(new UnavailableError(error), request.id);
      reply.code(answer.status).headers(answer.headers).type(errorType(request));
      for (const name of ['content-length', 'content-disposition']) reply.removeHeader(name);
      if (payload instanceof Readable) payload.destroy(); // not a byte of it has been read
      return answer.body;
    }
  });
}

function recordsOf(
  { journal, key, refused }: KeyUse,
  request: FastifyRequest,
  clock: Clock,
): readonly KeyRequest[] {
  if (key === undefined) return journal.verifications;
  const own: KeyRequest = {
    organizationId: key.organizationId,
    apiKeyId: key.id,
    requestId: request.id,
    at: key.checkedAt,
    service: journal.service,
    operation: journal.operation,
    outcome: refused ?? journal.refused ?? 'VALID',
    ip: request.ip,
    userAgent: userAgentOf(request),
    durationMs: Math.round(clock.monotonicMs() - request.receivedAtMs),
  };
  return [own, ...journal.verifications];
}

function userAgentOf({ headers }: FastifyRequest): string | null {
  const given = headers['user-agent'];
  return given === undefined ? null : echoable(given);
}
