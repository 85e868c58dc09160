import type { FastifyRequest } from 'fastify';
import { parseAddress } from '../kernel/address';
import type { KeyRequest } from '../kernel/key-request';
import type { Caller, Principal } from '../kernel/principal';
import { echoable } from '../kernel/redaction';

/** Where a request comes from, as its record tells. */
export type Client = Pick<KeyRequest, 'requestId' | 'ip' | 'userAgent'>;

/**
 * The address that a request comes from, fit to be kept. What a trusted proxy tells in its place is
 * believed only if it is one: a proxy that passes on its client's own header would else have us keep
 * whatever that client wrote. null: the connection is gone.
 */
export function addressOf({ ip, socket }: FastifyRequest): string | null {
  return parseAddress(ip) ?? parseAddress(socket.remoteAddress) ?? null;
}

/** Where a request comes from that is made for nobody else. */
export function clientOf(request: FastifyRequest): Client {
  const userAgent = request.headers['user-agent'];
  return {
    requestId: request.id,
    ip: addressOf(request),
    userAgent: userAgent === undefined ? null : echoable(userAgent),
  };
}

/** Who makes a request, and what the audit trail notes about where it came from. */
export function callerOf<Who extends Principal>(
  principal: Who,
  request: FastifyRequest,
): Caller<Who> {
  return { principal, requestId: request.id, ip: addressOf(request) };
}
