import type { IncomingMessage } from 'node:http';
import { newUuid } from '../kernel/ids';

const acceptable = /^[A-Za-z0-9._-]{8,64}$/;

/** The client's own request id if it can be kept, else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && acceptable.test(given) ? given : newUuid();
}
