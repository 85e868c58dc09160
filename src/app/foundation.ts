import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { toPepper, type Config, type Pepper } from '../config';
import type { Database } from '../database/database';
import type { EmbeddedDatabase } from '../database/embedded';
import { migrate } from '../database/migrate';
import { openDatabase } from '../database/open-database';
import type { Logger } from '../kernel/logger';
import { startDatabaseServer } from './database-server';
import { entities } from './rooms';

/** What everything stands on: a migrated database, and the peppers that go with its keys. */
export interface Foundation {
  readonly database: Database;
  readonly peppers: readonly Pepper[];
  /** One sentence for the operator: which database this is. */
  readonly description: string;
  /** The migrations that ran just now. */
  readonly migrations: readonly string[];
  /** Closes the connections and lets go of the embedded database. */
  close(): Promise<void>;
}

/**
 * Opens the database of `DATABASE_URL`, or the embedded one, and brings it up to date.
 * @param server what startDatabaseServer gives, when that was begun before
 * @throws SettingError or EmbeddedDatabaseError with one sentence for the operator
 */
export async function openFoundation(
  config: Config,
  logger: Logger,
  server = startDatabaseServer(config),
): Promise<Foundation> {
  const embedded = await server;
  try {
    const url = config.databaseUrl ?? embedded?.url ?? '';
    const options = { url, settings: config.database, entities, logger };
    const migrations = await migrate(options);
    const database = await openDatabase(options);
    return {
      database,
      peppers: await choosePeppers(config, embedded),
      description: describe(embedded),
      migrations,
      async close() {
        await database.close();
        await embedded?.stop();
      },
    };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

// The embedded database keeps a pepper beside its data, for those who set none.
async function choosePeppers(
  { peppers }: Config,
  embedded: EmbeddedDatabase | undefined,
): Promise<readonly Pepper[]> {
  if (embedded === undefined) return peppers;
  const path = await embedded.secret('pepper', () => randomBytes(32).toString('base64'));
  const kept = (await readFile(path, 'utf8')).trim();
  return peppers.length > 0 ? [...peppers, toPepper(kept)] : [toPepper(kept)];
}

function describe(embedded: EmbeddedDatabase | undefined): string {
  if (embedded === undefined) return 'PostgreSQL of DATABASE_URL';
  const user = embedded.user === undefined ? '' : `, run by the system user ${embedded.user}`;
  const where = embedded.relocated
    ? `${embedded.directory} (that user cannot enter KEYWARD_DATA_DIR)`
    : embedded.directory;
  return `embedded PostgreSQL in ${where}${user}`;
}
