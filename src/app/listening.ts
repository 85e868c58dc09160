import type { FastifyInstance } from 'fastify';
import { SettingError } from '../config-product';
import { sqlState } from '../database/failures';

/** Where to listen. */
export interface Address {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The setting that says which port, to be named when it cannot be had. */
  readonly setting: 'PORT' | 'KEYWARD_METRICS_PORT';
}

/**
 * Begins to listen.
 * @returns the port
 * @throws SettingError naming the setting to change
 */
export async function listen(http: FastifyInstance, address: Address): Promise<number> {
  const { host, port } = address;
  try {
    await http.listen({ host, port });
  } catch (error) {
    const code = sqlState(error); // network errors carry their code in the same place
    // Machines without IPv6: every IPv4 address is every address.
    if (host === '::' && code === 'EAFNOSUPPORT') await http.listen({ host: '0.0.0.0', port });
    else throw cannotListen(error, code, address);
  }
  const bound = http.server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}

function cannotListen(
  error: unknown,
  code: string | undefined,
  { host, port, setting }: Address,
): unknown {
  if (code === 'EADDRINUSE') {
    return new SettingError(
      setting,
      `${port} is in use by another program; choose another, such as ${setting}=${port + 1}.`,
    );
  }
  if (code === 'EACCES') return new SettingError(setting, `${port} may not be used by this user.`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new SettingError('KEYWARD_HOST', `${host} is no address of this machine.`);
  }
  return error;
}
