import { created } from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { withRooms } from '../support/organizations';
import { until } from '../support/process';
import { withAdministrator } from '../support/databases';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

const usageRetention = { recordDays: 2, countDays: 3 };
const whoAmI = '{ viewer { kind } }';

/** The name of the table with the records of a day of UTC. */
async function nameOf(daysAgo: number): Promise<string> {
  const [row] = await keyward.database.sql<{ name: string }>(
    `SELECT 'api_key_requests_' ||
       to_char(now() AT TIME ZONE 'UTC' - make_interval(days => $1), 'YYYYMMDD') AS name`,
    [daysAgo],
  );
  return row?.name ?? '';
}

/** Makes a day's partition, unless it is there since before midnight, with a record in it. */
async function makeDay(daysAgo: number): Promise<string> {
  const name = await nameOf(daysAgo);
  const from = `${name.slice(-8).replace(/(....)(..)(..)/, '$1-$2-$3')}T00:00:00Z`;
  const to = new Date(Date.parse(from) + 86_400_000).toISOString();
  if ((await existing([name])).length === 0) {
    await keyward.database.sql(`CREATE TABLE ${name} (LIKE api_key_requests INCLUDING ALL)`);
    await keyward.database.sql(
      `ALTER TABLE api_key_requests ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${to}')`,
    );
  }
  await keyward.database.sql(
    `INSERT INTO api_key_requests (id, at, organization_id, request_id, service, outcome)
     SELECT gen_random_uuid(), $1, id, 'old', 'test', 'UNKNOWN' FROM organizations LIMIT 1`,
    [from],
  );
  return name;
}

/** Which of these tables there are. */
async function existing(names: readonly string[]): Promise<string[]> {
  const rows = await keyward.database.sql<{ name: string }>(
    `SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL ORDER BY name`,
    [names],
  );
  return rows.map(({ name }) => name);
}

async function discard(): Promise<void> {
  await withRooms(keyward, async ({ retention }) =>
    retention.discard(usageRetention, new AbortController().signal),
  );
}

test('several processes at once drop each day once, while requests are recorded and read', async () => {
  const days = Array.from({ length: 12 }, (_, index) => 10 + index);
  const old: string[] = [];
  for (const day of days) old.push(await makeDay(day));
  const { apiKey, secret: key } = await created(keyward);
  let working = true;
  const clients = Array.from({ length: 6 }, async (_, index) => {
    let sent = 0;
    for (; working; sent += 1) {
      const { status } =
        index === 0
          ? await keyward.ask('{ apiKeyRequests { nodes { at } } }')
          : await keyward.ask(whoAmI, {}, { key });
      expect(status).toBe(200);
    }
    return index === 0 ? 0 : sent;
  });
  await Promise.all(Array.from({ length: 4 }, discard));
  expect(await existing(old)).toEqual([]);
  working = false;
  const sent = (await Promise.all(clients)).reduce((total, each) => total + each, 0);
  expect(sent).toBeGreaterThan(0);
  const [recorded] = await keyward.database.sql<{ count: number }>(
    'SELECT count(*)::int AS count FROM api_key_requests WHERE api_key_id = $1',
    [apiKey.id],
  );
  expect(recorded?.count).toBe(sent);
});

test('what was interrupted after detaching is dropped the next time', async () => {
  const name = await makeDay(5);
  await keyward.database.sql(`ALTER TABLE api_key_requests DETACH PARTITION ${name}`);
  await discard();
  expect(await existing([name])).toEqual([]);
});

test('a reader that stays does not let dropping hold writers up; what was begun is finished afterwards', async () => {
  const names = [await makeDay(5), await makeDay(6)];
  const { secret: key } = await created(keyward);
  await withAdministrator(keyward.database.url, async (reader) => {
    await reader.query('BEGIN');
    await reader.query('SELECT count(*) FROM api_key_requests');
    const given = discard().then(
      () => 'done',
      () => 'given up',
    );
    let answered = 0;
    await until('it is given up', async () => {
      expect((await keyward.ask(whoAmI, {}, { key })).status).toBe(200);
      answered += 1;
      return Promise.race([given, Promise.resolve(false as const)]);
    });
    expect(await given).toBe('given up');
    expect(answered).toBeGreaterThan(1);
    await reader.query('COMMIT');
  });
  const begun = await keyward.database.sql('SELECT 1 FROM pg_inherits WHERE inhdetachpending');
  expect(begun).toHaveLength(1);
  expect(await existing(names)).toHaveLength(2);
  await discard();
  expect(await existing(names)).toEqual([]);
});

test('tables that Keyward did not make are left alone', async () => {
  const names = [
    ...['api_key_requests_x', 'api_key_requests_20201399', 'api_key_requests_2020'],
    ...['api_key_requests_20200101_copy', 'my_api_key_requests_20200101'],
  ];
  for (const name of names) await keyward.database.sql(`CREATE TABLE ${name} (id integer)`);
  await keyward.database.sql('CREATE VIEW api_key_requests_20200102 AS SELECT 1 AS id');
  await discard();
  expect(await existing(names)).toEqual([...names].sort());
  expect(await existing(['api_key_requests_20200102'])).toHaveLength(1);
});

test('a record of a day that was dropped is written all the same', async () => {
  const name = await nameOf(9);
  expect(await existing([name])).toEqual([]);
  const { apiKey } = await created(keyward);
  await withRooms(keyward, async ({ usage }, database) => {
    const [row] = await database.read(async (tx): Promise<{ at: Date; organizationId: never }[]> =>
      tx.query(
        `SELECT now() - interval '9 days' AS at, organization_id AS "organizationId"
           FROM api_keys WHERE id = $1`,
        [apiKey.id],
      ),
    );
    if (row === undefined) throw new Error('no key');
    await usage.record([
      {
        ...{ ...row, apiKeyId: null, requestId: 'very-late', service: 'test', operation: null },
        ...{ outcome: 'UNKNOWN', ip: null, userAgent: null, durationMs: 1 },
      },
    ]);
  });
  const found = await keyward.database.sql(
    `SELECT 1 FROM api_key_requests WHERE request_id = 'very-late'`,
  );
  expect(found).toHaveLength(1);
  await discard();
  expect(await existing([name])).toEqual([]);
});

test('counts are deleted once their whole hour is too old, however many they are', async () => {
  await keyward.database.sql(
    `INSERT INTO api_key_usage_hours (organization_id, api_key_id, hour, outcome, requests)
     SELECT gen_random_uuid(), gen_random_uuid(), hour, 'VALID', 1
     FROM unnest(ARRAY[73, 74, 9000]) AS hours,
       LATERAL (SELECT date_trunc('hour', now(), 'UTC') - make_interval(hours => hours) AS hour) AS h,
       generate_series(1, 4000)`,
  );
  const kept = await keyward.database.sql<{ hour: Date }>(
    `INSERT INTO api_key_usage_hours (organization_id, api_key_id, hour, outcome, requests)
     SELECT gen_random_uuid(), gen_random_uuid(),
       date_trunc('hour', now(), 'UTC') - interval '71 hours', 'VALID', 1 RETURNING hour`,
  );
  await Promise.all([discard(), discard()]);
  const oldest = await keyward.database.sql<{ hour: Date }>(
    'SELECT min(hour) AS hour FROM api_key_usage_hours',
  );
  expect(oldest).toEqual(kept);
});

// Not sooner, for what this server is about to drop the discards of other tests would leave to it.
test('a server that starts drops the days whose last instant is too old, and no others', async () => {
  const old = [await makeDay(3), await makeDay(4), await makeDay(40)];
  const kept = [await makeDay(1), await makeDay(2), await nameOf(0)];
  await keyward.startReplica({ KEYWARD_USAGE_RECORD_DAYS: '2' });
  await until('they are dropped', async () => (await existing(old)).length === 0);
  expect(await existing(kept)).toEqual([...kept].sort());
  for (const name of kept.slice(0, 2)) await keyward.database.sql(`DROP TABLE ${name}`);
});

test('requests with an idempotency key are forgotten when they are too old to be answered for', async () => {
  for (const idempotencyKey of ['forgotten', 'remembered']) {
    await created(keyward, { idempotencyKey });
  }
  await keyward.database.sql(
    `UPDATE idempotent_requests SET created_at = now() -
       CASE idempotency_key WHEN 'forgotten' THEN interval '25 hours' ELSE interval '24 hours' END`,
  );
  const known = async (): Promise<unknown[]> =>
    keyward.database.sql('SELECT idempotency_key AS name FROM idempotent_requests');
  await keyward.startReplica();
  await until('one is forgotten', async () => (await known()).length === 1);
  expect(await known()).toEqual([{ name: 'remembered' }]);
});
