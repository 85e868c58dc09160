import { patience, type TestDatabase } from '../support/databases';
import { graphql, type Answer } from '../support/http';
import { serve, testDatabase, until, type Server, type Settings } from '../support/process';
import { startProxy, type Proxy } from '../support/proxy';

jest.setTimeout(60_000);

interface Link {
  readonly database: TestDatabase;
  readonly proxy: Proxy;
  readonly server: Server;
  readonly key: string;
}

const proxies: Proxy[] = [];
afterEach(() => {
  for (const proxy of proxies.splice(0)) proxy.close();
});

async function startLinked(more: Settings = {}): Promise<Link> {
  const database = await testDatabase();
  const proxy = await startProxy(database.url);
  proxies.push(proxy);
  const server = await serve({
    DATABASE_URL: proxy.url,
    KEYWARD_PEPPERS: 'a pepper of thirty-two characters and more',
    ...patience,
    ...more,
  });
  return { database, proxy, server, key: server.adminKey ?? '' };
}

async function whoAmI({ server, key }: Link): Promise<Answer<unknown>> {
  return graphql(server.url, { query: '{ viewer { apiKey { id } } }' }, { key });
}

async function create({ server, key }: Link, name: string): Promise<Answer<unknown>> {
  const query = `mutation ($name: String!) {
    createApiKey(input: { name: $name, scopes: ["contacts:read"] }) { secret } }`;
  return graphql(server.url, { query, variables: { name } }, { key });
}

function expectUnavailable(answer: Answer<unknown>): void {
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(JSON.stringify(answer.body.data ?? null)).not.toMatch(/"(id|secret)":"/);
  expect(answer.errors[0]?.extensions).toMatchObject({ code: 'UNAVAILABLE' });
}

async function ready({ server }: Link): Promise<number> {
  return (await fetch(new URL('/readyz', server.url))).status;
}

test('connections that break under load cost 503 and nothing else, and the next ones are answered', async () => {
  const link = await startLinked();
  let going = true;
  const answers: Answer<unknown>[] = [];
  const clients = Array.from({ length: 16 }, async (_, client) => {
    while (going) {
      answers.push(await (client % 4 === 0 ? create(link, 'Under load') : whoAmI(link)));
    }
  });
  for (let round = 1; round <= 5; round += 1) {
    const before = answers.length;
    await until(
      'requests are answered',
      () => answers.slice(before).filter(({ status }) => status === 200).length > 20,
    );
    link.proxy.cut();
  }
  const afterwards = answers.length;
  await until(
    'it has recovered',
    () => answers.slice(afterwards).filter(({ status }) => status === 200).length > 100,
  );
  going = false;
  await Promise.all(clients);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
  for (const answer of answers.filter(({ status }) => status === 503)) expectUnavailable(answer);
  expect((await whoAmI(link)).status).toBe(200);
  expect(await link.server.stop()).toMatchObject({ code: 0 });
});

test('while no connection can be made every request is 503, and the first one afterwards is answered', async () => {
  const link = await startLinked();
  link.proxy.refuse(true);
  link.proxy.cut();
  for (const answer of await Promise.all([whoAmI(link), whoAmI(link), create(link, 'None')])) {
    expectUnavailable(answer);
  }
  expect(await ready(link)).toBe(503);
  link.proxy.refuse(false);
  expect((await whoAmI(link)).status).toBe(200);
  expect(await ready(link)).toBe(200);
  expect(link.server.stderr).toMatch(/"level":40.*the database failed/);
});

test('idle connections that break do not end the process and are not handed out', async () => {
  const link = await startLinked();
  await Promise.all(Array.from({ length: 30 }, async () => create(link, 'Opens connections')));
  await link.database.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  await until('all are gone', () => link.proxy.connections === 0);
  const answers = await Promise.all(Array.from({ length: 30 }, async () => whoAmI(link)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

test('a silent link costs 503 while it is silent, its connections are destroyed, and then all is well', async () => {
  const link = await startLinked({
    KEYWARD_DATABASE_QUERY_TIMEOUT_MS: '2000',
    KEYWARD_DATABASE_CONNECT_TIMEOUT_MS: '5000',
  });
  await Promise.all(Array.from({ length: 30 }, async () => whoAmI(link)));
  const backends = await pids(link.database);
  expect(backends.length).toBeGreaterThan(2);
  link.proxy.freeze(true);
  // Nothing but Keyward's own time limits ends this silence.
  const answers = await Promise.all([whoAmI(link), create(link, 'Into silence')]);
  for (const answer of answers) expectUnavailable(answer);
  link.proxy.freeze(false);
  expect((await whoAmI(link)).status).toBe(200);
  // Reads, which wait for nobody: creations take turns at the organization's audit chain.
  const after = await Promise.all(Array.from({ length: 30 }, async () => whoAmI(link)));
  expect(new Set(after.map(({ status }) => status))).toEqual(new Set([200]));
  await until(
    'the connections of before are gone',
    async () => {
      const now = await pids(link.database);
      return !now.some((pid) => backends.includes(pid));
    },
    8000, // before they would have been closed for being idle
  );
});

test('a server that has become read-only costs 503 until it is writable, on new connections each time', async () => {
  const link = await startLinked();
  const { database } = link;
  const name = new URL(database.url).pathname.slice(1);
  await Promise.all(Array.from({ length: 30 }, async () => whoAmI(link)));
  const backends = await pids(database);
  expect(backends.length).toBeGreaterThan(2);

  await database.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  await database.sql(`SELECT pg_terminate_backend(pid, 30000) FROM unnest($1::int[]) AS pid`, [
    backends,
  ]);
  expectUnavailable(await whoAmI(link)); // its use cannot be recorded
  expectUnavailable(await create(link, 'Read-only'));
  expect(await ready(link)).toBe(503);
  expect(link.server.stderr).toContain('25006');

  await database.sql(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
  await until(
    'it says that it is ready, asked nothing else',
    async () => (await ready(link)) === 200,
  );
  expect((await whoAmI(link)).status).toBe(200);
  expect((await create(link, 'Writable')).status).toBe(200);
  const now = await pids(database);
  expect(now.filter((pid) => backends.includes(pid))).toEqual([]);
  expect(
    await database.sql(`SELECT name FROM api_keys WHERE name IN ('Read-only', 'Writable')`),
  ).toEqual([{ name: 'Writable' }]);
});

async function pids(database: TestDatabase): Promise<number[]> {
  const rows = await database.sql<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'keyward'`,
  );
  return rows.map(({ pid }) => pid);
}
