import { isIP } from 'node:net';

/**
 * An IP address as it is kept and compared, or undefined when the text is none. A socket that serves
 * IPv6 and IPv4 tells IPv4 addresses as `::ffff:192.0.2.1` (RFC 4291, section 2.5.5.2); nobody else
 * does.
 */
export function parseAddress(text: string | undefined): string | undefined {
  // The zone of an IPv6 address (RFC 4007) may be of any length to Node.
  if (text === undefined || text.length > 100 || isIP(text) === 0) return undefined;
  return text.replace(/^::ffff:(?=\d+\.)/i, '');
}
