import { isIP, SocketAddress } from 'node:net';

const longest = 100;

/**
 * An IP address in the one spelling in which it is kept and compared (RFC 5952), or undefined when the
 * text is none. IPv4 addresses that a socket which serves IPv6, too, tells as `::ffff:192.0.2.1` (RFC
 * 4291, section 2.5.5.2) are IPv4 addresses; zones (RFC 4007), which mean something to one machine
 * only, are left out.
 */
export function parseAddress(text: string | undefined): string | undefined {
  if (text === undefined || text.length > longest) return undefined; // a zone may be of any length
  const plain = withoutMapping(text); // most of all, and quicker than what follows
  const version = isIP(plain);
  if (version !== 6) return version === 4 ? plain : undefined;
  return withoutMapping(new SocketAddress({ address: plain, family: 'ipv6' }).address);
}

function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
