import type { Config } from '../config';
import { startEmbeddedDatabase, type EmbeddedDatabase } from '../database/embedded';

/**
 * Starts the embedded PostgreSQL, or adopts the one that runs; undefined when `DATABASE_URL` names
 * another server. Loads little, so that it can be begun before everything else is loaded.
 * @param onWait told when PostgreSQL is being made or started, which takes a while
 * @throws EmbeddedDatabaseError with one sentence for the operator
 */
export async function startDatabaseServer(
  { databaseUrl, dataDirectory }: Pick<Config, 'databaseUrl' | 'dataDirectory'>,
  onWait: () => void = () => undefined,
): Promise<EmbeddedDatabase | undefined> {
  if (databaseUrl !== undefined) return undefined;
  return startEmbeddedDatabase({ directory: dataDirectory, onWait });
}
