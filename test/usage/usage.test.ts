import { created, listed, readApiKey, refusal, revokeApiKey } from '../support/api-keys';
import { graphql } from '../support/http';
import { parseApiKeyId, parseOrganizationId } from '../../src/kernel/ids';
import type { KeyRequest } from '../../src/kernel/key-request';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { withRooms } from '../support/organizations';
import { until } from '../support/process';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

interface RecordRow {
  readonly at: Date;
  readonly request_id: string;
  readonly organization_id: string;
  readonly service: string;
  readonly operation: string | null;
  readonly outcome: string;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly duration_ms: number;
}

async function recordsOf(apiKeyId: string): Promise<RecordRow[]> {
  return keyward.database.sql<RecordRow>(
    'SELECT * FROM api_key_requests WHERE api_key_id = $1 ORDER BY at, id',
    [apiKeyId],
  );
}

async function countRecords(): Promise<number> {
  const [row] = await keyward.database.sql<{ count: number }>(
    'SELECT count(*)::int AS count FROM api_key_requests',
  );
  return row?.count ?? 0;
}

const whoAmI = 'query WhoAmI { viewer { kind } }';

test('a request leaves one record when its answer is read: which key, operation, client, how long', async () => {
  const { apiKey, secret: key } = await created(keyward);
  const headers = { 'user-agent': 'deployer/1.0', 'x-request-id': 'request-0001' };
  await keyward.ask(whoAmI, {}, { key, headers });
  const [record, ...more] = await recordsOf(apiKey.id);
  expect(more).toEqual([]);
  expect(record).toMatchObject({
    ...{ request_id: 'request-0001', organization_id: apiKey.organization.id, outcome: 'VALID' },
    ...{ service: 'keyward', operation: 'WhoAmI', ip: '127.0.0.1', user_agent: 'deployer/1.0' },
  });
  expect(record?.duration_ms).toBeGreaterThanOrEqual(0);
  expect(record?.duration_ms).toBeLessThan(30_000);
});

test('a record lies between the request and its answer by the database’s clock', async () => {
  const { apiKey, secret: key } = await created(keyward);
  const now = async (): Promise<Date | undefined> => {
    const rows = await keyward.database.sql<{ now: Date }>(
      `SELECT date_trunc('milliseconds', now()) AS now`,
    );
    return rows[0]?.now;
  };
  const before = await now();
  await keyward.ask(whoAmI, {}, { key });
  const after = await now();
  const [record] = await recordsOf(apiKey.id);
  expect(Number(record?.at)).toBeGreaterThanOrEqual(Number(before));
  expect(Number(record?.at)).toBeLessThanOrEqual(Number(after));
});

test('requests that are refused because of the key are recorded as that', async () => {
  const { apiKey, secret: key } = await created(keyward);
  await keyward.ask('query List { apiKeys { totalCount } }', {}, { key });
  await keyward.ask('query Both { viewer { kind } apiKeys { totalCount } }', {}, { key });
  await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [apiKey.id]);
  await keyward.ask(whoAmI, {}, { key });
  await revokeApiKey(keyward, { id: apiKey.id });
  await keyward.ask(whoAmI, {}, { key });
  const records = await recordsOf(apiKey.id);
  expect(records.map(({ outcome, operation }) => [outcome, operation])).toEqual([
    ['INSUFFICIENT_SCOPE', 'List'],
    ['INSUFFICIENT_SCOPE', 'Both'],
    ['EXPIRED', null],
    ['REVOKED', null],
  ]);
});

test('requests whose document or input is at fault are recorded, too', async () => {
  const { apiKey, secret: key } = await created(keyward, { scopes: ['admin:full'] });
  const documents = [
    '{ nonsense',
    '{ nonsense }',
    'query A { viewer { kind } } query B { viewer { kind } }',
  ];
  for (const document of documents) await keyward.ask(document, {}, { key });
  await keyward.ask('query Broken { apiKeys(first: -1) { totalCount } }', {}, { key });
  const records = await recordsOf(apiKey.id);
  expect(records.map(({ outcome }) => outcome)).toEqual(['VALID', 'VALID', 'VALID', 'VALID']);
  expect(records.map(({ operation }) => operation)).toEqual([null, null, null, 'Broken']);
});

test.each([
  ['is no JSON', 'application/json', '{', 400],
  ['is of another type', 'text/plain', '{}', 415],
  ['is too large', 'application/json', JSON.stringify({ query: 'x'.repeat(1_100_000) }), 413],
])('requests whose body %s are recorded, too', async (_what, type, body, status) => {
  const { apiKey, secret } = await created(keyward, { scopes: ['admin:full'] });
  const response = await fetch(keyward.url, {
    method: 'POST',
    headers: { 'content-type': type, authorization: `Bearer ${secret}` },
    body,
  });
  await response.text();
  expect(response.status).toBe(status);
  expect(await recordsOf(apiKey.id)).toHaveLength(1);
});

test('requests without a key, or with one that nobody issued, leave no record', async () => {
  const before = await countRecords();
  await keyward.ask(whoAmI, {}, { key: null });
  await keyward.ask(whoAmI, {}, { key: 'nonsense' });
  const elsewhere = await startTestKeyward();
  await keyward.ask(whoAmI, {}, { key: elsewhere.adminKey });
  await elsewhere.stop();
  expect(await countRecords()).toBe(before);
});

test('lastUsedAt is the time of the last request that was let in, and of no other', async () => {
  const { apiKey, secret: key } = await created(keyward);
  expect(apiKey.lastUsedAt).toBeNull();
  const lastUse = async (): Promise<unknown> => {
    const shown = (await readApiKey(keyward, apiKey.id))?.lastUsedAt;
    const [last] = (await listed(keyward, { filter: { search: apiKey.prefix } })).nodes;
    expect(last?.lastUsedAt).toBe(shown);
    return shown;
  };
  await keyward.ask(whoAmI, {}, { key });
  await keyward.ask(whoAmI, {}, { key });
  const [, second] = await recordsOf(apiKey.id);
  expect(await lastUse()).toBe(second?.at.toISOString());
  // It was let in, and then lacked a scope for a field: a use all the same.
  await keyward.ask('{ apiKeys { totalCount } }', {}, { key });
  const [, , third] = await recordsOf(apiKey.id);
  expect(await lastUse()).toBe(third?.at.toISOString());
  await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [apiKey.id]);
  await keyward.ask(whoAmI, {}, { key });
  await revokeApiKey(keyward, { id: apiKey.id });
  await keyward.ask(whoAmI, {}, { key });
  expect(await recordsOf(apiKey.id)).toHaveLength(5);
  expect(await lastUse()).toBe(third?.at.toISOString());
});

test('concurrent requests, to two replicas, are each recorded once', async () => {
  const replica = await keyward.startReplica();
  const keys = await Promise.all(Array.from({ length: 4 }, () => created(keyward)));
  const ids = Array.from({ length: 120 }, (_, index) => `concurrent-${index}`);
  const answers = await Promise.all(
    ids.map((id, index) =>
      graphql(
        index % 2 === 0 ? keyward.url : replica.graphqlUrl,
        { query: index % 5 === 0 ? '{ apiKeys { totalCount } }' : whoAmI },
        { key: keys[index % 4]?.secret ?? null, headers: { 'x-request-id': id } },
      ),
    ),
  );
  expect(answers.every(({ status }) => status === 200 || status === 403)).toBe(true);
  const records = await keyward.database.sql<{ request_id: string }>(
    `SELECT request_id FROM api_key_requests WHERE request_id LIKE 'concurrent-%'`,
  );
  expect(records.map(({ request_id }) => request_id).sort()).toEqual([...ids].sort());
});

test('what comes in while a commit is on its way shares the next one', async () => {
  const { apiKey } = await created(keyward);
  const apiKeyId = parseApiKeyId(apiKey.id);
  const organizationId = parseOrganizationId(apiKey.organization.id);
  if (apiKeyId === undefined || organizationId === undefined) throw new Error('no ids');
  const request: Omit<KeyRequest, 'requestId'> = {
    ...{ organizationId, apiKeyId, at: new Date(), service: 'test', operation: null },
    ...{ outcome: 'VALID', ip: null, userAgent: null, durationMs: 1 },
  };
  await withRooms(keyward, async ({ usage }, database) => {
    const records: Promise<void>[] = [];
    await database.transaction(async (tx) => {
      // Holds commits back, so that they overlap however fast the disk is.
      await tx.query('LOCK TABLE api_key_usage_hours IN EXCLUSIVE MODE');
      records.push(usage.record([{ ...request, requestId: 'first' }]));
      await until('the first commit waits', async () => (await writersAtTheLock()) === 1);
      for (let index = 0; index < 99; index += 1) {
        records.push(usage.record([{ ...request, requestId: `later-${index}` }]));
      }
      expect(await writersAtTheLock()).toBe(1);
    });
    await Promise.all(records);
  });
  const commits = await keyward.database.sql(
    `SELECT count(*)::int AS records FROM api_key_requests WHERE api_key_id = $1
     GROUP BY xmin::text ORDER BY 1`,
    [apiKey.id],
  );
  expect(commits).toEqual([{ records: 1 }, { records: 99 }]);
});

async function writersAtTheLock(): Promise<number> {
  const [row] = await keyward.database.sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_locks
     WHERE relation = 'api_key_usage_hours'::regclass AND NOT granted`,
  );
  return row?.count ?? 0;
}

test('the hourly counts are those of the records', async () => {
  const counted = await keyward.database.sql(
    'SELECT api_key_id, hour, outcome, organization_id, requests FROM api_key_usage_hours ORDER BY 1, 2, 3',
  );
  const recorded = await keyward.database.sql(
    `SELECT api_key_id, date_trunc('hour', at, 'UTC') AS hour, outcome, organization_id,
       count(*) AS requests
     FROM api_key_requests GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3`,
  );
  expect(counted.length).toBeGreaterThan(5);
  expect(counted).toEqual(recorded);
});

test('the days to come have their partitions, and a missing one is made when it is met', async () => {
  const partitions = async (): Promise<string[]> => {
    const rows = await keyward.database.sql<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits
       WHERE inhparent = 'api_key_requests'::regclass ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  };
  const atStart = await partitions();
  expect(atStart.length).toBeGreaterThanOrEqual(8); // today and a week
  const [day] = await keyward.database.sql<{ name: string }>(
    `SELECT 'api_key_requests_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD') AS name`,
  );
  const { apiKey, secret: key } = await created(keyward);
  await keyward.database.sql(`DROP TABLE ${day?.name ?? ''}`);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => keyward.ask(whoAmI, {}, { key })),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  expect(await partitions()).toEqual(atStart);
  expect(await recordsOf(apiKey.id)).toHaveLength(10);
});

test('what cannot be recorded is not answered: 503, and the next request is fine again', async () => {
  const { apiKey, secret: key } = await created(keyward);
  await keyward.database.sql('ALTER TABLE api_key_usage_hours RENAME TO elsewhere');
  try {
    const answer = await keyward.ask('{ viewer { apiKey { name } } }', {}, { key });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(refusal(answer)).toEqual({ code: 'UNAVAILABLE' });
    expect(answer.text).not.toContain(apiKey.name);
  } finally {
    await keyward.database.sql('ALTER TABLE elsewhere RENAME TO api_key_usage_hours');
  }
  expect(await recordsOf(apiKey.id)).toEqual([]); // whole or not at all
  expect((await keyward.ask(whoAmI, {}, { key })).status).toBe(200);
  expect(await recordsOf(apiKey.id)).toHaveLength(1);
});
