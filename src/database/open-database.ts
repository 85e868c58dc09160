import pg from 'pg';
import { DataSource, type EntitySchema } from 'typeorm';
import type { DatabaseSettings } from '../config';
import { SettingError } from '../config-product';
import type { Logger } from '../kernel/logger';
import { Database } from './database';
import { ConnectionCut, GuardedPool } from './guarded-pool';
import { migrations } from './migrations/list';
import { unreachable } from './start-failure';

type Entity = new () => object;

/** What a database is opened with. */
export interface OpenOptions {
  readonly url: string;
  readonly settings: DatabaseSettings;
  readonly entities: readonly (Entity | EntitySchema)[];
  readonly logger: Logger;
}

/** The oldest PostgreSQL that Keyward runs on, as `server_version_num` has it. */
const oldestServer = 140_000;

/**
 * Connects a pool with time limits on both sides and checks the server's version.
 * @throws SettingError naming DATABASE_URL when the server cannot be reached or is too old
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  // TypeORM makes the pool itself, of the class it is given; this keeps hold of what it makes.
  const pools: GuardedPool[] = [];
  function Pool(config?: pg.PoolConfig): GuardedPool {
    const pool = new GuardedPool(config);
    pools.push(pool);
    return pool;
  }
  const dataSource = new DataSource({
    ...dataSourceOptions(options),
    driver: { ...pg, Pool },
    poolErrorHandler: (error: Error) => {
      if (error instanceof ConnectionCut) return;
      options.logger.warn({ err: error }, 'an idle database connection broke');
    },
  });
  try {
    await dataSource.initialize();
    await checkVersion(dataSource);
  } catch (error) {
    await pools[0]?.end().catch(() => undefined);
    throw error instanceof SettingError ? error : unreachable(error);
  }
  const [pool] = pools;
  if (pool === undefined) throw new Error('TypeORM made no pool');
  return new Database(dataSource, pool, options.logger);
}

/** The options of a data source with time limits on both sides. */
export function dataSourceOptions({ url, settings, entities }: OpenOptions) {
  const limit = settings.queryTimeoutMs;
  return {
    type: 'postgres' as const,
    url,
    applicationName: 'keyward',
    poolSize: settings.poolSize,
    connectTimeoutMS: settings.connectTimeoutMs,
    entities: [...entities],
    migrations,
    migrationsTableName: 'keyward_migrations',
    installExtensions: false,
    extra: {
      query_timeout: limit,
      statement_timeout: Math.round(limit * 0.8),
      lock_timeout: Math.round(limit * 0.6),
      idle_in_transaction_session_timeout: limit * 2,
      keepAlive: true,
    },
  };
}

async function checkVersion(dataSource: DataSource): Promise<void> {
  const rows: { version: string; number: number }[] = await dataSource.query(
    `SELECT current_setting('server_version') AS version,
            current_setting('server_version_num')::int AS number`,
  );
  const [row] = rows;
  if (row !== undefined && row.number < oldestServer) {
    throw new SettingError(
      'DATABASE_URL',
      `PostgreSQL ${row.version} is too old; 14 or later is needed.`,
    );
  }
}
