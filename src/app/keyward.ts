import type { FastifyInstance } from 'fastify';
import { Authenticator } from '../auth/authentication';
import type { Config } from '../config';
import { SettingError } from '../config-product';
import type { Database } from '../database/database';
import { sqlState } from '../database/failures';
import { readOnly, toStartError } from '../database/start-failure';
import { createApollo } from '../graphql/apollo';
import { createSchema, printSdl, serveSdl, withoutAccessDirectives } from '../graphql/schema';
import type { Readiness } from '../http/health-routes';
import { createHttpServer } from '../http/server';
import { systemClock } from '../kernel/clock';
import type { Logger } from '../kernel/logger';
import { createAdminKey } from './admin-key';
import { startDatabaseServer } from './database-server';
import { openFoundation } from './foundation';
import { Maintenance } from './maintenance';
import { createPeopleDoor } from './people-door';
import { createRooms, listSizes, type Rooms } from './rooms';

/** A running Keyward. */
export interface Keyward {
  /** Where GraphQL is, such as `http://localhost:4000/graphql`. */
  readonly graphqlUrl: string;
  /** Which database it runs on, in words. */
  readonly databaseDescription: string;
  /** The admin key, on the very first start of a database only. */
  readonly adminKey: string | undefined;
  /**
   * Stops taking requests, answers those in flight, and lets go of everything; requests that take
   * longer than the setting allows are cut off.
   */
  stop(): Promise<void>;
}

/**
 * Starts Keyward: database, migrations, rooms, GraphQL, HTTP.
 * @param server what startDatabaseServer gives, when that was begun before
 * @throws SettingError or EmbeddedDatabaseError with one sentence for the operator
 */
export async function startKeyward(
  config: Config,
  logger: Logger,
  server = startDatabaseServer(config),
): Promise<Keyward> {
  const foundation = await openFoundation(config, logger, server);
  const open = [async () => foundation.close()]; // closed from the last to the first
  const stop = async (): Promise<void> => {
    for (const close of open.reverse()) await close();
  };
  try {
    const { database, peppers } = foundation;
    if (!(await database.isWritable())) throw readOnly();
    const { product } = config;
    const rooms = createRooms({ database, peppers, product, logger });
    const maintenance = createMaintenance(rooms, config, logger);
    open.push(async () => maintenance.stop());
    const apollo = await serveSchema(rooms, config, logger);
    open.push(async () => apollo.stop());
    const http = await createHttpServer({
      apollo,
      authenticator: new Authenticator({
        verification: rooms.verification,
        catalogue: product.catalogue,
        people: createPeopleDoor(config.oidc, rooms, logger),
      }),
      corsOrigins: new Set(config.corsOrigins),
      trustedProxies: config.trustedProxies,
      usage: rooms.usage,
      registry: rooms.registry,
      readiness: databaseReadiness(database),
      clock: systemClock,
      logger,
    });
    open.push(async () => drain(http, config.shutdownTimeoutMs));
    const port = await listen(http, config);
    await rooms.usage.prepare();
    maintenance.start();
    return {
      graphqlUrl: `http://localhost:${port}/graphql`,
      databaseDescription: foundation.description,
      // Last, so that a start that fails does not use up the first one's key.
      adminKey: await createAdminKey(database, rooms, product),
      stop,
    };
  } catch (error) {
    await stop();
    throw toStartError(error);
  }
}

function createMaintenance(rooms: Rooms, { usageRetention }: Config, logger: Logger): Maintenance {
  const tasks = [
    async () => rooms.usage.prepare(),
    async (signal: AbortSignal) => rooms.retention.discard(usageRetention, signal),
    async (signal: AbortSignal) => rooms.idempotency.discard(signal),
  ];
  return new Maintenance(tasks, logger);
}

async function serveSchema(rooms: Rooms, config: Config, logger: Logger) {
  const schema = await createSchema(rooms.schema, config.product.catalogue);
  const sdl = printSdl(schema);
  serveSdl(schema, config.sdlAccessDirectives ? sdl : withoutAccessDirectives(sdl));
  const apollo = createApollo({ schema, introspection: config.introspection, listSizes, logger });
  await apollo.start();
  return apollo;
}

const idleCheckMs = 20;

// A connection whose request was in flight when the closing began is kept open by the client
// afterwards: Node closes only those that are idle at the beginning.
async function drain(http: FastifyInstance, patienceMs: number): Promise<void> {
  const closeIdle = setInterval(() => http.server.closeIdleConnections(), idleCheckMs);
  const giveUp = setTimeout(() => http.server.closeAllConnections(), patienceMs);
  await http.close();
  clearInterval(closeIdle);
  clearTimeout(giveUp);
}

async function listen(http: FastifyInstance, { host, port }: Config): Promise<number> {
  try {
    await http.listen({ host, port });
  } catch (error) {
    const code = sqlState(error); // network errors carry their code in the same place
    // Machines without IPv6: every IPv4 address is every address.
    if (host === '::' && code === 'EAFNOSUPPORT') await http.listen({ host: '0.0.0.0', port });
    else throw cannotListen(error, code, host, port);
  }
  const address = http.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function cannotListen(
  error: unknown,
  code: string | undefined,
  host: string,
  port: number,
): unknown {
  if (code === 'EADDRINUSE') {
    return new SettingError(
      'PORT',
      `${port} is in use by another program; choose another, such as PORT=${port + 1}.`,
    );
  }
  if (code === 'EACCES') return new SettingError('PORT', `${port} may not be used by this user.`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new SettingError('KEYWARD_HOST', `${host} is no address of this machine.`);
  }
  return error;
}

function databaseReadiness(database: Database): Readiness {
  return {
    async problem() {
      try {
        return (await database.isWritable()) ? undefined : 'The database is read-only.';
      } catch {
        return 'The database cannot be reached.';
      }
    },
  };
}
