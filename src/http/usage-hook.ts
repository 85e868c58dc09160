import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestJournal } from '../graphql/context';
import type { Clock } from '../kernel/clock';
import { UnavailableError } from '../kernel/errors';
import type { KeyRequest } from '../kernel/key-request';
import type { Logger } from '../kernel/logger';
import type { PresentedKey } from '../keys/verification.service';
import type { UsageService } from '../usage/usage.service';
import type { Client } from './client';
import { answerTo, errorType } from './error-answer';

/** What a request leaves for its records. */
interface KeyUse {
  readonly journal: RequestJournal;
  readonly client: Client;
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

// What an answer that does not leave has said already, who the key is among it.
const ofTheAnswer = /^(keyward-.*|www-authenticate|content-(length|disposition))$/;

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
      await request.span.part('commit usage', async () => usage.record(records));
      return payload;
    } catch (error) {
      logger.warn({ err: error, requestId: request.id }, 'a request could not be recorded');
      const answer = answerTo(new UnavailableError(error), request.id);
      for (const name of Object.keys(reply.getHeaders())) {
        if (ofTheAnswer.test(name)) reply.removeHeader(name);
      }
      reply.code(answer.status).headers(answer.headers).type(errorType(request));
      if (payload instanceof Readable) payload.destroy(); // not a byte of it has been read
      return answer.body;
    }
  });
}

function recordsOf(
  { journal, client, key, refused }: KeyUse,
  request: FastifyRequest,
  clock: Clock,
): readonly KeyRequest[] {
  if (key === undefined) return journal.verifications;
  const own: KeyRequest = {
    organizationId: key.organizationId,
    apiKeyId: key.id,
    ...client,
    at: key.checkedAt,
    service: journal.service,
    operation: journal.operation,
    outcome: refused ?? journal.refused ?? 'VALID',
    durationMs: Math.round(clock.monotonicMs() - request.receivedAtMs),
  };
  return [own, ...journal.verifications];
}
