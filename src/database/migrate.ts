import { MigrationExecutor } from 'typeorm';
import { openDatabase, type OpenOptions } from './open-database';
import { toStartError } from './start-failure';

// Any number will do, as long as every Keyward process uses the same.
const migrationLock = 5_494_231_077;

// Building an index on a large table, or waiting for another process that does, takes its time.
const patienceMs = 30 * 60_000;

/**
 * Brings the database's tables up to date, on a connection of its own. Safe to call from several
 * processes at once: an advisory lock lets one in at a time, and the others find the work done.
 * @returns the names of the migrations that ran
 * @throws SettingError naming DATABASE_URL when the server cannot be reached, is too old, or may
 * not be changed
 */
export async function migrate(options: OpenOptions): Promise<readonly string[]> {
  const settings = { ...options.settings, poolSize: 1, queryTimeoutMs: patienceMs };
  const database = await openDatabase({ ...options, settings });
  try {
    const runner = database.dataSource.createQueryRunner();
    await runner.query(`SELECT pg_advisory_lock($1)`, [migrationLock]);
    const executor = new MigrationExecutor(database.dataSource, runner);
    executor.transaction = 'each';
    const ran = await executor.executePendingMigrations();
    await runner.release();
    return ran.map(({ name }) => name);
  } catch (error) {
    throw toStartError(error);
  } finally {
    await database.close(); // which lets go of the lock
  }
}
