/**
 * An IP address as it is recorded and looked for: a socket that serves IPv6 and IPv4 tells IPv4
 * addresses as `::ffff:192.0.2.1` (RFC 4291, section 2.5.5.2), which is `192.0.2.1` here.
 */
export function plainAddress(ip: string): string {
  return ip.replace(/^::ffff:(?=\d+\.)/i, '');
}
