import type { FastifyInstance } from 'fastify';
import { retryAfterSeconds } from '../kernel/challenges';

/** Whether requests can be answered just now. */
export interface Readiness {
  /** undefined when they can, else one sentence why not. */
  problem(): Promise<string | undefined>;
}

/** Serves `/livez` (the process runs) and `/readyz` (it can answer: the database can be written). */
export function serveHealth(app: FastifyInstance, readiness: Readiness): void {
  app.get('/livez', () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const problem = await readiness.problem();
    if (problem === undefined) return { status: 'ready' };
    return reply
      .code(503)
      .header('retry-after', retryAfterSeconds)
      .send({ status: 'not ready', problem });
  });
}
