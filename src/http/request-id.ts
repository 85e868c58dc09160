import type { IncomingMessage } from 'node:http';
import { newUuid } from '../kernel/ids';
import { redactKeys } from '../kernel/redaction';

const acceptable = /^[A-Za-z0-9._-]{8,64}$/;

/**
 * The client's own request id if it can be kept, else a new one. Ids are logged and recorded, so
 * one that looks like a key is not kept.
 */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  if (typeof given !== 'string' || !acceptable.test(given)) return newUuid();
  return redactKeys(given) === given ? given : newUuid();
}
