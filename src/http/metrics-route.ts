import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseCredentials } from '../kernel/credentials';
import { AuthenticationError } from '../kernel/errors';

/** What `/metrics` needs of others. */
export interface MetricsRouteParts {
  readonly contentType: string;
  text(): Promise<string>;
  /** What a reader presents; undefined: whoever reaches the port may read. */
  readonly token: string | undefined;
}

/** Serves `/metrics`. What is presented there is compared with the token, and never taken for a key. */
export function serveMetrics(app: FastifyInstance, parts: MetricsRouteParts): void {
  app.get('/metrics', async (request, reply) => {
    if (parts.token !== undefined && !presents(request, parts.token)) {
      const message = 'Send the token of KEYWARD_METRICS_TOKEN as "Authorization: Bearer <token>".';
      throw new AuthenticationError('UNKNOWN', message);
    }
    return reply.type(parts.contentType).send(await parts.text());
  });
}

function presents({ raw }: FastifyRequest, token: string): boolean {
  const credentials = parseCredentials(raw.rawHeaders);
  return 'token' in credentials && timingSafeEqual(sha256(credentials.token), sha256(token));
}

/** Texts of one length, as a comparison in constant time wants them. */
function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
