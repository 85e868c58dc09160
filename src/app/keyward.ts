import type { FastifyInstance } from 'fastify';
import { Authenticator } from '../auth/authentication';
import type { Config } from '../config';
import type { Database } from '../database/database';
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
import { listen } from './listening';
import { createRooms, listSizes, type Rooms } from './rooms';
import { openSignals } from './signals';

/** A running Keyward. */
export interface Keyward {
  /** Where GraphQL is, such as `http://localhost:4000/graphql`. */
  readonly graphqlUrl: string;
  /** Where metrics are when they have a port of their own. */
  readonly metricsUrl: string | undefined;
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
  const open: Close[] = [async () => foundation.close()];
  const stop = async (): Promise<void> => closeAll(open, config.shutdownTimeoutMs);
  try {
    const { database, peppers } = foundation;
    if (!(await database.isWritable())) throw readOnly();
    const { product } = config;
    const signals = await openSignals(config, database.pool, logger);
    open.push(async (leftMs) => signals.close(leftMs));
    const rooms = createRooms({ database, peppers, product, logger, meter: signals.meter });
    const apollo = await serveSchema(rooms, config, logger);
    open.push(async () => apollo.stop());
    const http = await createHttpServer({
      apollo,
      authenticator: await createAuthenticator(rooms, config, logger),
      corsOrigins: new Set(config.corsOrigins),
      trustedProxies: config.trustedProxies,
      usage: rooms.usage,
      registry: rooms.registry,
      listing: rooms.listing,
      delegatedVerification: rooms.delegatedVerification,
      catalogue: product.catalogue,
      readiness: databaseReadiness(database),
      ...signals,
      clock: systemClock,
      logger,
    });
    const maintenance = createMaintenance(rooms, config, logger);
    open.push(async (leftMs) => drain(http, maintenance, leftMs));
    const port = await listen(http, { ...config, setting: 'PORT' });
    await rooms.usage.prepare();
    maintenance.start();
    return {
      graphqlUrl: `http://localhost:${port}/graphql`,
      metricsUrl: signals.metricsUrl,
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

type Close = (leftMs: number) => Promise<void>;

// From the last to the first; each is told how much is left of the time for all.
async function closeAll(open: Close[], timeoutMs: number): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs;
  for (const close of open.reverse()) {
    await close(Math.max(0, deadlineMs - systemClock.monotonicMs()));
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

async function createAuthenticator(
  rooms: Rooms,
  config: Config,
  logger: Logger,
): Promise<Authenticator> {
  return new Authenticator({
    verification: rooms.verification,
    catalogue: config.product.catalogue,
    people: await createPeopleDoor(config, rooms, logger),
  });
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
// afterwards: Node closes only those that are idle at the beginning. Maintenance ends meanwhile.
async function drain(
  http: FastifyInstance,
  maintenance: Maintenance,
  patienceMs: number,
): Promise<void> {
  const closeIdle = setInterval(() => http.server.closeIdleConnections(), idleCheckMs);
  const giveUp = setTimeout(() => http.server.closeAllConnections(), patienceMs);
  await Promise.all([http.close(), maintenance.stop()]);
  clearInterval(closeIdle);
  clearTimeout(giveUp);
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
