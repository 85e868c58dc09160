import { created, refusal, revokeApiKey } from '../support/api-keys';
import { graphql } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';
import { askUsage, organizationUsage, totalOf, usageOf, type ShownBucket } from '../support/usage';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

const hourMs = 3_600_000;

/** Counts as requests would have left them. */
async function count(
  apiKeyId: string,
  hours: readonly (readonly [hour: string, outcome: string, requests: number | string])[],
): Promise<void> {
  for (const [hour, outcome, requests] of hours) {
    await keyward.database.sql(
      `INSERT INTO api_key_usage_hours (organization_id, api_key_id, hour, outcome, requests)
       SELECT organization_id, id, $2, $3, $4 FROM api_keys WHERE id = $1`,
      [apiKeyId, hour, outcome, requests],
    );
  }
}

function isGapless(buckets: readonly ShownBucket[], lengthMs: number): boolean {
  return buckets.every(
    ({ start, end }, place) =>
      Date.parse(end) - Date.parse(start) === lengthMs &&
      (place === 0 || start === buckets[place - 1]?.end),
  );
}

test('usage is exactly what the client’s own ledger says, over two replicas', async () => {
  const replica = await keyward.startReplica();
  const keys = await Promise.all(Array.from({ length: 3 }, () => created(keyward)));
  const ledger = new Map(keys.map(({ apiKey }) => [apiKey.id, { allowed: 0, refused: 0 }]));
  const use = async (index: number): Promise<void> => {
    const key = keys[index % 3];
    const entry = ledger.get(key?.apiKey.id ?? '');
    if (key === undefined || entry === undefined) throw new Error('no key');
    const url = index % 2 === 0 ? keyward.url : replica.graphqlUrl;
    const query = index % 4 === 0 ? '{ apiKeys { totalCount } }' : '{ viewer { kind } }';
    const { status } = await graphql(url, { query }, { key: key.secret });
    entry[status === 200 ? 'allowed' : 'refused'] += 1;
  };
  await Promise.all(Array.from({ length: 90 }, async (_, index) => use(index)));
  await revokeApiKey(keyward, { id: keys[0]?.apiKey.id });
  await Promise.all(Array.from({ length: 30 }, async (_, index) => use(index)));
  for (const [id, entry] of ledger) {
    expect(entry.allowed * entry.refused).toBeGreaterThan(0);
    for (const granularity of ['HOUR', 'DAY']) {
      expect(totalOf(await usageOf(keyward, id, { granularity }))).toEqual(entry);
    }
  }
});

test('every bucket is there, in order, with zeros where nothing was: 24 hours or 30 days unless told', async () => {
  const { apiKey } = await created(keyward);
  for (const [granularity, buckets, lengthMs] of [
    ['HOUR', 24, hourMs],
    ['DAY', 30, 24 * hourMs],
  ] as const) {
    const usage = await usageOf(keyward, apiKey.id, { granularity });
    // One more, since the range is widened to whole buckets (and none when asked at a border).
    expect([buckets, buckets + 1]).toContain(usage.length);
    expect(isGapless(usage, lengthMs)).toBe(true);
    expect(Date.parse(usage.at(-1)?.start ?? '')).toBeLessThanOrEqual(Date.now());
    expect(totalOf(usage)).toEqual({ allowed: 0, refused: 0 });
  }
  expect((await usageOf(keyward, apiKey.id)).length).toBeGreaterThanOrEqual(30);
});

test('hours and days are those of UTC, wherever database and server are', async () => {
  const { apiKey } = await created(keyward);
  await count(apiKey.id, [
    ['2026-01-30T23:00Z', 'VALID', 1],
    ['2026-01-31T00:00Z', 'VALID', 2],
    ['2026-01-31T23:00Z', 'VALID', 4],
    ['2026-01-31T23:00Z', 'REVOKED', 8],
    ['2026-02-01T00:00Z', 'VALID', 16],
    ['2026-02-01T00:00Z', 'EXPIRED', 32],
    ['2026-02-01T00:00Z', 'INSUFFICIENT_SCOPE', 64],
    ['2026-02-02T00:00Z', 'VALID', 128],
  ]);
  const database = new URL(keyward.database.url).pathname.slice(1);
  await keyward.database.sql(`ALTER DATABASE ${database} SET timezone TO 'Asia/Kathmandu'`);
  const { graphqlUrl } = await keyward.startReplica();
  const replica: Pick<TestKeyward, 'ask'> = {
    ask: async (query, variables) =>
      graphql(graphqlUrl, { query, variables }, { key: keyward.adminKey }),
  };
  const days = await usageOf(replica, apiKey.id, {
    from: '2026-01-31T00:00:00Z',
    to: '2026-02-02T00:00:00Z',
  });
  expect(days).toEqual([
    { start: '2026-01-31T00:00:00.000Z', end: '2026-02-01T00:00:00.000Z', allowed: 6, refused: 8 },
    {
      start: '2026-02-01T00:00:00.000Z',
      end: '2026-02-02T00:00:00.000Z',
      allowed: 16,
      refused: 96,
    },
  ]);
  const hours = await usageOf(replica, apiKey.id, {
    from: '2026-01-31T22:00:00Z',
    to: '2026-02-01T01:00:00Z',
    granularity: 'HOUR',
  });
  expect(hours.map(({ allowed, refused }) => [allowed, refused])).toEqual([
    [0, 0],
    [4, 8],
    [16, 96],
  ]);
});

test('a range is widened to the borders of its buckets', async () => {
  const { apiKey } = await created(keyward);
  const range = { from: '2026-03-01T10:59:59.999Z', to: '2026-03-01T11:00:00.001Z' };
  const starts = async (granularity: string): Promise<string[]> =>
    (await usageOf(keyward, apiKey.id, { ...range, granularity })).map(({ start }) => start);
  expect(await starts('HOUR')).toEqual(['2026-03-01T10:00:00.000Z', '2026-03-01T11:00:00.000Z']);
  expect(await starts('DAY')).toEqual(['2026-03-01T00:00:00.000Z']);
});

test('a range that begins in the future is refused, saying that it ends now unless told', async () => {
  const { apiKey } = await created(keyward);
  const { errors } = await askUsage(keyward, apiKey.id, { from: '2999-01-01T00:00:00Z' });
  expect(errors[0]).toMatchObject({
    message: 'from must lie before to, which is now unless told.',
    extensions: { code: 'BAD_USER_INPUT', field: 'from' },
  });
});

test('counts beyond GraphQL’s largest Int are shown as that', async () => {
  const { apiKey } = await created(keyward);
  await count(apiKey.id, [['2026-03-01T10:00Z', 'VALID', '9000000000000000']]);
  const range = { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' };
  expect(totalOf(await usageOf(keyward, apiKey.id, range)).allowed).toBe(2_147_483_647);
  expect(totalOf(await organizationUsage(keyward, range)).allowed).toBe(2_147_483_647);
});

test('the organization’s usage is that of all its keys, and of no other organization', async () => {
  const other = await createOrganization(keyward, 'Usage elsewhere');
  const { id, secret: key } = await other.createKey();
  await graphql(keyward.url, { query: '{ viewer { kind } }' }, { key });
  const theirs = await organizationUsage(keyward, { granularity: 'HOUR' }, { key });
  expect(totalOf(theirs)).toEqual({ allowed: 1, refused: 0 }); // this very question is not in it
  expect((await askUsage(keyward, id)).data.apiKey).toBeNull();

  const ours = totalOf(await organizationUsage(keyward, { granularity: 'HOUR' }));
  const [recorded] = await keyward.database.sql<{ allowed: number; refused: number }>(
    `SELECT count(*) FILTER (WHERE outcome = 'VALID')::int - 1 AS allowed,
       count(*) FILTER (WHERE outcome <> 'VALID')::int AS refused
     FROM api_key_requests WHERE organization_id <> $1`,
    [other.id],
  );
  expect(ours).toEqual(recorded);
});

test('usage takes analytics:read, for one’s own key too', async () => {
  const document =
    '{ viewer { apiKey { name usage { allowed } requests { nodes { outcome } } } } }';
  const { secret: without } = await created(keyward, { scopes: ['api_keys:read'] });
  const refused = await keyward.ask(document, {}, { key: without });
  expect(refused.data).toMatchObject({ viewer: { apiKey: { usage: null, requests: null } } });
  expect(refused.errors.map(({ extensions }) => extensions.code)).toEqual([
    'UNAUTHORIZED_FIELD_OR_TYPE',
    'UNAUTHORIZED_FIELD_OR_TYPE',
  ]);
  const { secret: key } = await created(keyward, { scopes: ['analytics:read'] });
  await keyward.ask(document, {}, { key });
  const { data } = await keyward.ask(document, {}, { key });
  expect(data).toMatchObject({
    viewer: { apiKey: { requests: { nodes: [{ outcome: 'VALID' }] } } },
  });
});

test('each key of a page gets its own usage, and each alias that of its own range', async () => {
  const [first, second] = [await created(keyward), await created(keyward)];
  await count(first.apiKey.id, [['2026-04-01T10:00Z', 'VALID', 7]]);
  await count(second.apiKey.id, [['2026-04-02T10:00Z', 'REVOKED', 9]]);
  const range = 'from: "2026-04-01T00:00:00Z", to: "2026-04-03T00:00:00Z"';
  const { data } = await keyward.ask(
    `{ apiKeys(first: 2) { nodes { id
         days: usage(${range}) { allowed refused }
         again: usage(${range}) { allowed }
         bad: usage(from: "2026-04-03T00:00:00Z", to: "2026-04-01T00:00:00Z") { allowed } } } }`,
  );
  const zero = { allowed: 0, refused: 0 };
  expect(data).toEqual({
    apiKeys: {
      nodes: [
        {
          id: second.apiKey.id,
          days: [zero, { allowed: 0, refused: 9 }],
          again: [{ allowed: 0 }, { allowed: 0 }],
          bad: null,
        },
        {
          id: first.apiKey.id,
          days: [{ allowed: 7, refused: 0 }, zero],
          again: [{ allowed: 7 }, { allowed: 0 }],
          bad: null,
        },
      ],
    },
  });
});

test.each([
  ['the end before the start', { from: '2026-02-02T00:00:00Z', to: '2026-02-01T00:00:00Z' }],
  ['no time at all', { from: '2026-02-02T00:00:00Z', to: '2026-02-02T00:00:00Z' }],
  ['a start to come, up to now', { from: '9999-01-01T00:00:00Z' }],
  ['401 days', { from: '2025-01-01T00:00:00Z', to: '2026-02-06T00:00:00Z' }],
  ['745 hours', { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:30:00Z', granularity: 'HOUR' }],
  ['all of time', { from: '0000-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' }],
])('%s is refused by a sentence that names from', async (_what, range) => {
  const { apiKey } = await created(keyward);
  const answer = await askUsage(keyward, apiKey.id, range);
  expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field: 'from' });
});

test.each([
  [
    'a border beyond year 9999',
    { from: '9999-12-31T12:00:00Z', to: '9999-12-31T23:59:59.999Z' },
    'to',
  ],
  ['a border before year 0', { to: '0000-01-10T00:00:00Z' }, 'to'],
  [
    'a start before year 0',
    { from: '0000-01-01T00:00:00+13:00', to: '0001-01-05T00:00:00Z' },
    'from',
  ],
])(
  '%s, which RFC 3339 cannot write, is refused by a sentence that names the end given',
  async (_what, range, field) => {
    const { apiKey } = await created(keyward);
    const answer = await askUsage(keyward, apiKey.id, range);
    expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field });
  },
);

test.each([
  ['400 days', { from: '2025-01-01T00:00:00Z', to: '2026-02-05T00:00:00Z' }, 400],
  ['the first days there are', { from: '0000-01-01T00:00:00Z', to: '0000-01-02T00:00:01Z' }, 2],
  ['the last day there is', { from: '9999-12-30T12:00:00Z', to: '9999-12-31T00:00:00Z' }, 1],
])('%s can be asked for', async (_what, range, buckets) => {
  const { apiKey } = await created(keyward);
  expect(await usageOf(keyward, apiKey.id, range)).toHaveLength(buckets);
  expect(await organizationUsage(keyward, range)).toHaveLength(buckets);
});

test('a page of 50 keys with their last 30 days is answered, one of 200 with 31 days of hours refused by its cost', async () => {
  const pages = (first: number, args: string): string =>
    `{ apiKeys(first: ${String(first)}) { nodes { name usage${args} { start end allowed refused } } } }`;
  expect((await keyward.ask(pages(50, ''))).status).toBe(200);
  const hours = '(granularity: HOUR, from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z")';
  const refused = await keyward.ask(pages(200, hours));
  expect(refused.status).toBe(400);
  expect(refused.errors[0]?.extensions).toMatchObject({ limit: 'cost' });
  // Nor does it help to leave open how long the range is.
  const open = `query ($from: DateTime) ${pages(200, '(granularity: HOUR, from: $from)')}`;
  const variable = await keyward.ask(open, { from: '2026-01-01T00:00:00Z' });
  expect(variable.errors[0]?.extensions).toMatchObject({ limit: 'cost' });
});
