import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/**
 * Keyward's time limits for the database where a test is not about them: as long as a busy machine
 * may need, for what waits longer is refused with 503.
 */
export const patience = {
  KEYWARD_DATABASE_CONNECT_TIMEOUT_MS: '25000',
  KEYWARD_DATABASE_QUERY_TIMEOUT_MS: '25000',
};

/** Runs work on a connection to the test server itself. */
export async function withAdministrator<Result>(
  url: string,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A database of one's own, with a connection to look into it. */
export interface TestDatabase {
  readonly url: string;
  /** Runs SQL past Keyward; rows of the last statement. */
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

/** Clones the migrated template. */
export async function cloneDatabase(): Promise<TestDatabase> {
  const server = process.env.KEYWARD_TEST_SERVER ?? '';
  const template = process.env.KEYWARD_TEST_TEMPLATE ?? '';
  const name = `${template}_${randomBytes(6).toString('hex')}`;
  await withAdministrator(server, async (client) => {
    // Two clones at once would find the template in use.
    await client.query('SELECT pg_advisory_lock(1)');
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  const url = new URL(server);
  url.pathname = `/${name}`;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  client.on('error', () => undefined); // the server may be stopped under it
  return {
    url: url.href,
    async sql<Row>(text: string, values: readonly unknown[] = []) {
      const result = await client.query(text, [...values]);
      return result.rows as Row[]; // the test knows what it asked for
    },
    async drop() {
      await client.end();
      await withAdministrator(server, (admin) => admin.query(`DROP DATABASE ${name} WITH (FORCE)`));
    },
  };
}
