import type { FastifyRequest } from 'fastify';
import { InputError } from '../kernel/errors';

const preflightHeaders = ['apollo-require-preflight', 'x-apollo-operation-name'] as const;

/**
 * Refuses what a foreign page may have made a browser send without asking first (no preflight): a
 * request that is no JSON POST, shows signs of a browser acting for another site, and carries no
 * header that would have needed a preflight.
 * @throws InputError naming the header to send
 */
export function refuseForgedRequest(request: FastifyRequest, allowed: ReadonlySet<string>): void {
  const { headers, method } = request;
  const isJson = headers['content-type']?.toLowerCase().startsWith('application/json') === true;
  if (method === 'POST' && isJson) return;
  if (preflightHeaders.some((name) => headers[name] !== undefined)) return;
  if (!looksForeign(request, allowed)) return;
  throw new InputError(
    'apollo-require-preflight',
    'A browser may send this request for another site. Send a header "apollo-require-preflight: true" with it, or POST application/json.',
  );
}

function looksForeign({ headers }: FastifyRequest, allowed: ReadonlySet<string>): boolean {
  const { origin, cookie, host } = headers;
  if (cookie !== undefined) return true;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined || allowed.has(origin)) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
