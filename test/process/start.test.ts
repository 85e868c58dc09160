import { setTimeout as pause } from 'node:timers/promises';
import type { TestDatabase } from '../support/databases';
import { graphql } from '../support/http';
import {
  adminKeyIn,
  dataDirectory,
  isRunning,
  launch,
  postmasterIn,
  serve,
  testDatabase,
  until,
  type Server,
} from '../support/process';

jest.setTimeout(60_000);

describe('on an embedded database', () => {
  const KEYWARD_DATA_DIR = dataDirectory();
  let adminKey: string | undefined;

  test('the first start prints where GraphQL is and one admin key with full access, and stops its database', async () => {
    const server = await serve({ KEYWARD_DATA_DIR });
    expect(server.url).toMatch(/^http:\/\/localhost:\d+\/graphql$/);
    expect(server.stdout.match(/sk_\w+/g)).toHaveLength(1);
    adminKey = server.adminKey;
    const { status, viewer } = await whoIs(server, adminKey);
    expect(status).toBe(200);
    expect(viewer?.scopes).toEqual(expect.arrayContaining(['admin:full', 'api_keys:write']));
    const postmaster = postmasterIn(KEYWARD_DATA_DIR);
    expect(postmaster).toBeDefined();
    expect(await server.stop()).toMatchObject({ code: 0, stderr: '' });
    // It removes its file, for which Keyward waits, in its last moments.
    await until('PostgreSQL has ended', () => !isRunning(postmaster ?? 0));
  });

  test('a later start prints no key, and SIGINT ends it as SIGTERM does', async () => {
    const server = await serve({ KEYWARD_DATA_DIR });
    expect(server.stdout).not.toMatch(/sk_/);
    expect(await whoIs(server, adminKey)).toMatchObject({ status: 200 });
    server.signal('SIGINT');
    expect(await server.ended).toMatchObject({ code: 0, signal: null });
    expect(postmasterIn(KEYWARD_DATA_DIR)).toBeUndefined();
  });

  test('Ctrl-C under npm, which hands on what the terminal has sent already, is one wish and ends cleanly', async () => {
    const server = await serve({ KEYWARD_DATA_DIR });
    server.signal('SIGINT');
    server.signal('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(postmasterIn(KEYWARD_DATA_DIR)).toBeUndefined();
  });

  test('after kill -9 of Node the next start takes over the database that still runs', async () => {
    const killed = await serve({ KEYWARD_DATA_DIR });
    const postmaster = postmasterIn(KEYWARD_DATA_DIR);
    await killed.kill();
    const server = await serve({ KEYWARD_DATA_DIR });
    expect(postmasterIn(KEYWARD_DATA_DIR)).toBe(postmaster);
    expect(await whoIs(server, adminKey)).toMatchObject({ status: 200 });
    expect(await server.stop()).toMatchObject({ code: 0 });
    expect(postmasterIn(KEYWARD_DATA_DIR)).toBeUndefined();
  });

  test('after kill -9 of Node and of PostgreSQL the next start recovers and has all data', async () => {
    const killed = await serve({ KEYWARD_DATA_DIR });
    const query = `mutation { createApiKey(input: { name: "Survivor", scopes: ["contacts:read"] }) { secret } }`;
    const created = await graphql<{ createApiKey: { secret: string } }>(
      killed.url,
      { query },
      { key: adminKey ?? '' },
    );
    const postmaster = postmasterIn(KEYWARD_DATA_DIR) ?? 0;
    process.kill(postmaster, 'SIGKILL');
    await killed.kill();
    const server = await serve({ KEYWARD_DATA_DIR });
    expect(postmasterIn(KEYWARD_DATA_DIR)).not.toBe(postmaster);
    expect(await whoIs(server, created.data.createApiKey.secret)).toMatchObject({ status: 200 });
    expect(await server.stop()).toMatchObject({ code: 0 });
  });

  test('SIGTERM during the start ends it cleanly and leaves no database running', async () => {
    const starting = launch({ KEYWARD_DATA_DIR });
    await until('PostgreSQL runs', () => postmasterIn(KEYWARD_DATA_DIR));
    starting.signal('SIGTERM');
    expect(await starting.ended).toMatchObject({ code: 0, signal: null });
    expect(postmasterIn(KEYWARD_DATA_DIR)).toBeUndefined();
  });
});

describe('on a database of its own', () => {
  const KEYWARD_PEPPERS = 'a pepper of thirty-two characters and more';

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s answers the request in flight, takes no new ones, and exits 0 at once',
    async (signal) => {
      const database = await testDatabase();
      const KEYWARD_SHUTDOWN_TIMEOUT_MS = '9000';
      const settings = { DATABASE_URL: database.url, KEYWARD_PEPPERS, KEYWARD_SHUTDOWN_TIMEOUT_MS };
      const server = await serve(settings);
      const release = await holdKeys(database);
      const answer = createKey(server, 'In flight');
      await until('the request waits for the lock', async () => someoneWaits(database));
      server.signal(signal);
      await until('nobody can connect any more', async () =>
        fetch(new URL('/livez', server.url)).then(
          () => false,
          () => true,
        ),
      );
      await release();
      expect((await answer).data).toEqual({ createApiKey: { apiKey: { name: 'In flight' } } });
      const tooLate = pause(8000, 'it waits for the end of its time', { ref: false });
      const ended = await Promise.race([server.ended, tooLate]);
      expect(ended).toMatchObject({ code: 0, signal: null });
    },
  );

  test('a request that does not end is cut off: SIGTERM never takes longer than the setting says', async () => {
    const database = await testDatabase();
    const server = await serve({
      DATABASE_URL: database.url,
      KEYWARD_PEPPERS,
      KEYWARD_DATABASE_QUERY_TIMEOUT_MS: '60000',
      KEYWARD_SHUTDOWN_TIMEOUT_MS: '500',
    });
    const release = await holdKeys(database);
    const status = createKey(server, 'Stuck').then(
      (answer) => answer.status,
      () => 'cut off',
    );
    await until('the request waits for the lock', async () => someoneWaits(database));
    const unlessTold = pause(7500, 'as late as unless told', { ref: false });
    const ended = await Promise.race([server.stop(), unlessTold]);
    expect(ended).toMatchObject({ code: 0 });
    await release();
    expect(await status).toBe('cut off');
    await until('PostgreSQL noticed', async () => !(await someoneWaits(database)));
    expect(await database.sql(`SELECT FROM api_keys WHERE name = 'Stuck'`)).toEqual([]);
  });

  test('of three processes that start at once on an empty database one migrates and one prints the key', async () => {
    const database = await testDatabase();
    await database.sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    const settings = { DATABASE_URL: database.url, KEYWARD_PEPPERS };
    const servers = await Promise.all([serve(settings), serve(settings), serve(settings)]);
    const keys = servers.flatMap(({ stdout }) => adminKeyIn(stdout) ?? []);
    expect(keys).toHaveLength(1);
    for (const server of servers) {
      expect(await whoIs(server, keys[0])).toMatchObject({ status: 200 });
    }
    const names = await database.sql<{ name: string }>('SELECT name FROM keyward_migrations');
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names.map(({ name }) => name)).size).toBe(names.length);
    expect(await database.sql('SELECT slug FROM organizations')).toEqual([{ slug: 'default' }]);
  });
});

async function whoIs(server: Server, key: string | undefined) {
  const answer = await graphql<{ viewer: { kind: string; scopes: string[] } }>(
    server.url,
    { query: '{ viewer { kind scopes } }' },
    { key: key ?? 'none' },
  );
  return { status: answer.status, viewer: answer.body.data?.viewer };
}

async function createKey(server: Server, name: string) {
  const query = `mutation ($name: String!) {
    createApiKey(input: { name: $name, scopes: ["contacts:read"] }) { apiKey { name } } }`;
  return graphql(server.url, { query, variables: { name } }, { key: server.adminKey ?? '' });
}

/** Locks every key, so that whoever wants to change something waits; until released. */
async function holdKeys(database: TestDatabase): Promise<() => Promise<void>> {
  await database.sql('BEGIN');
  await database.sql('SELECT FROM api_keys FOR UPDATE');
  return async () => {
    await database.sql('ROLLBACK');
  };
}

async function someoneWaits(database: TestDatabase): Promise<boolean> {
  // In a transaction PostgreSQL would tell only of the connections of when it was first asked.
  await database.sql('SELECT pg_stat_clear_snapshot()');
  const rows = await database.sql(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows.length > 0;
}
