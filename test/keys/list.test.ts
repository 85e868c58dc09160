import fc from 'fast-check';
import {
  created,
  listApiKeys,
  listed,
  refusal,
  revokeApiKey,
  type ListedKey,
} from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';

let keyward: TestKeyward;
let all: readonly ListedKey[];
beforeAll(async () => {
  keyward = await startTestKeyward();
  await createKeys();
  // Many equal sort values, and nulls, in every order.
  await keyward.database.sql(
    `UPDATE api_keys SET created_at = date_trunc('second', created_at)
       - get_byte(uuid_send(id), 15) % 4 * interval '1 minute'`,
  );
  all = (await listed(keyward, { first: 200 })).nodes;
});
afterAll(async () => keyward.stop());

/** 36 keys of every kind. */
async function createKeys(): Promise<void> {
  for (let index = 0; index < 36; index += 1) {
    const { apiKey, secret } = await created(keyward, {
      name: ['Zebra', 'apple', 'Äpfel', 'APPLE', '100%_sure', 'back\\slash'][index % 6],
      description: index % 4 === 0 ? `Part ${index} of EVERYTHING` : null,
      environment: index % 5 === 0 ? 'TEST' : 'LIVE',
      scopes: index % 2 === 0 ? ['contacts:read', 'agents:read'] : ['contacts:read'],
      owner: index % 3 === 0 ? 'Platform' : null,
      application: index % 3 === 1 ? 'deployer' : null,
      tags: index % 2 === 0 ? ['blue', `n${index % 4}`] : [],
      expiresAt: index % 3 === 0 ? null : `209${index % 4}-01-01T00:00:00.000Z`,
    });
    if (index % 4 === 0) await keyward.ask('{ viewer { kind } }', {}, { key: secret });
    if (index % 6 === 0) await revokeApiKey(keyward, { id: apiKey.id });
    if (index % 6 === 1) {
      const hours = index % 4; // ended, some at the same time
      await keyward.database.sql(
        `UPDATE api_keys SET expires_at = date_trunc('hour', now()) - $2 * interval '1 hour' WHERE id = $1`,
        [apiKey.id, hours],
      );
    }
  }
  await keyward.database.sql(
    `UPDATE api_key_last_uses SET last_used_at = date_trunc('hour', last_used_at)
     WHERE last_used_at > '-infinity' AND api_key_id::text < '8'`,
  );
}

const sortValues: Record<string, (key: ListedKey) => string | number> = {
  CREATED_AT: (key) => Date.parse(key.createdAt),
  NAME: (key) => Buffer.from(key.name.toLowerCase()).toString('hex'), // by code points
  EXPIRES_AT: (key) => (key.expiresAt === null ? Infinity : Date.parse(key.expiresAt)),
  LAST_USED_AT: (key) => (key.lastUsedAt === null ? -Infinity : Date.parse(key.lastUsedAt)),
};

/** The whole list as it should be sorted. */
function sorted(keys: readonly ListedKey[], field: string, direction: string): string[] {
  const valueOf = sortValues[field] ?? (() => 0);
  const ascending = [...keys].sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x !== y) return x < y ? -1 : 1;
    return a.id < b.id ? -1 : 1;
  });
  return (direction === 'ASC' ? ascending : ascending.reverse()).map(({ id }) => id);
}

/** Every page of a list, one after the other. */
async function walk(
  variables: Record<string, unknown>,
  size: number,
  forward: boolean,
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (let more = true; more;) {
    const place = forward ? { first: size, after: cursor } : { last: size, before: cursor };
    const page = await listed(keyward, { ...variables, ...place });
    const found = page.nodes.map(({ id }) => id);
    expect(page.edges.map(({ node }) => node.id)).toEqual(found);
    expect(page.pageInfo.startCursor).toBe(page.edges.at(0)?.cursor ?? null);
    expect(page.pageInfo.endCursor).toBe(page.edges.at(-1)?.cursor ?? null);
    expect(forward ? page.pageInfo.hasPreviousPage : page.pageInfo.hasNextPage).toBe(
      cursor !== null,
    );
    if (forward) ids.push(...found);
    else ids.unshift(...found);
    more = forward ? page.pageInfo.hasNextPage : page.pageInfo.hasPreviousPage;
    cursor = forward ? page.pageInfo.endCursor : page.pageInfo.startCursor;
  }
  return ids;
}

const fields = Object.keys(sortValues);

/** Every key but the admin's own, which the asking itself uses and so moves in one of the orders. */
function ours(): readonly ListedKey[] {
  return all.filter(({ id }) => id !== adminId());
}

function adminId(): string {
  return all.find(({ name }) => name === 'Admin key of the first start')?.id ?? '';
}

test('in any order, by pages of any size, forward or backward, the pages make up the sorted whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...fields),
      fc.constantFrom('ASC', 'DESC'),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      async (field, direction, size, forward) => {
        const list = { filter: { createdBy: adminId() }, orderBy: { field, direction } };
        expect(await walk(list, size, forward)).toEqual(sorted(ours(), field, direction));
      },
    ),
    {
      numRuns: 40,
      examples: fields.flatMap((field) => [
        [field, 'ASC', 3, true],
        [field, 'DESC', 3, false],
      ]),
    },
  );
});

test('from any place a page goes as far as told, in the list’s own order', async () => {
  const whole = await listed(keyward, {
    first: 200,
    orderBy: { field: 'NAME', direction: 'DESC' },
  });
  const { edges } = whole;
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: edges.length - 1 }),
      fc.nat({ max: edges.length - 1 }),
      fc.integer({ min: 0, max: 50 }),
      fc.boolean(),
      async (from, to, size, forward) => {
        const page = await listed(keyward, {
          orderBy: { field: 'NAME', direction: 'DESC' },
          ...{ after: edges[from]?.cursor, before: edges[to]?.cursor },
          ...(forward ? { first: size } : { last: size }),
        });
        const between = edges.slice(from + 1, Math.max(from + 1, to));
        const expected = forward
          ? between.slice(0, size)
          : between.slice(size === 0 ? between.length : -size);
        expect(page.edges).toEqual(expected);
      },
    ),
    { numRuns: 40 },
  );
});

test('newest first, fifty a page, unless told', async () => {
  const page = await listed(keyward);
  expect(page.nodes.map(({ id }) => id)).toEqual(sorted(all, 'CREATED_AT', 'DESC'));
  const other = await createOrganization(keyward, 'With many');
  const { secret: key } = await other.createKey();
  for (let index = 0; index < 50; index += 1) await created(keyward, {}, { key });
  const many = await listed(keyward, {}, { key });
  expect([many.nodes.length, many.totalCount, many.pageInfo.hasNextPage]).toEqual([50, 51, true]);
});

const filters: readonly (readonly [object, (key: ListedKey) => boolean])[] = [
  [{}, () => true],
  [{ status: ['ACTIVE'] }, ({ status }) => status === 'ACTIVE'],
  [{ status: ['EXPIRED'] }, ({ status }) => status === 'EXPIRED'],
  [{ status: ['REVOKED'] }, ({ status }) => status === 'REVOKED'],
  [{ status: ['ACTIVE', 'EXPIRED'] }, ({ status }) => status !== 'REVOKED'],
  [{ status: ['REVOKED', 'EXPIRED'] }, ({ status }) => status !== 'ACTIVE'],
  [{ environment: 'TEST' }, ({ environment }) => environment === 'TEST'],
  [{ environment: 'LIVE' }, ({ environment }) => environment === 'LIVE'],
  [{ scopes: ['agents:read'] }, ({ scopes }) => scopes.includes('agents:read')],
  [{ scopes: ['agents:read', 'contacts:read'] }, ({ scopes }) => scopes.length === 2],
  [{ scopes: ['agents:read', 'admin:full'] }, () => false],
  [{ search: 'APPLE' }, ({ name }) => /apple/i.test(name)],
  [{ search: 'äPFEL' }, ({ name }) => name === 'Äpfel'],
  [{ search: 'everything' }, ({ description }) => description !== null],
  [{ search: 'SK_TEST_' }, ({ environment }) => environment === 'TEST'],
  [{ search: 'zebrapart' }, () => false],
  [{ search: '%' }, ({ name }) => name.includes('%')],
  [{ search: '0%_s' }, ({ name }) => name.includes('0%_s')],
  [{ search: '1_0' }, ({ name }) => name.includes('1_0')],
  [{ search: '\\' }, ({ name }) => name.includes('\\')],
  [{ owner: 'Platform' }, ({ owner }) => owner === 'Platform'],
  [{ owner: 'platform' }, () => false],
  [{ application: 'deployer' }, ({ application }) => application === 'deployer'],
  [{ tags: ['blue'] }, ({ tags }) => tags.includes('blue')],
  [{ tags: ['blue', 'n2'] }, ({ tags }) => tags.includes('n2')],
  [
    { expiresBefore: '2092-01-01T00:00:00Z' },
    ({ expiresAt }) => expiresAt !== null && expiresAt < '2092',
  ],
  [{ createdBefore: '2000-01-01T00:00:00Z' }, () => false],
  [{ unusedSince: '2000-01-01T00:00:00Z' }, ({ lastUsedAt }) => lastUsedAt === null],
  [
    { status: ['ACTIVE'], environment: 'LIVE', search: 'pple', scopes: ['contacts:read'] },
    (key) => key.status === 'ACTIVE' && key.environment === 'LIVE' && /pple/i.test(key.name),
  ],
];
test.each(filters)(
  'filter %j finds exactly the keys that meet it, in every order, and counts them',
  async (filter, meets) => {
    const expected = ours().filter(meets);
    for (const field of fields) {
      const page = await listed(keyward, {
        first: 200,
        filter: { ...filter, createdBy: adminId() },
        orderBy: { field, direction: 'ASC' },
      });
      expect(page.nodes.map(({ id }) => id)).toEqual(sorted(expected, field, 'ASC'));
      expect(page.totalCount).toBe(expected.length);
    }
  },
);

test('filters on instants leave out the instant itself', async () => {
  const used = ours().filter(({ lastUsedAt }) => lastUsedAt !== null);
  const [{ createdAt, lastUsedAt } = { createdAt: '', lastUsedAt: '' }] = used;
  const expiring = all.find(({ expiresAt }) => expiresAt?.startsWith('2091'));
  const asks: readonly (readonly [object, (key: ListedKey) => boolean])[] = [
    [{ createdBefore: createdAt }, (key) => key.createdAt < createdAt],
    [
      { unusedSince: lastUsedAt },
      (key) => key.lastUsedAt === null || key.lastUsedAt < String(lastUsedAt),
    ],
    [
      { expiresBefore: expiring?.expiresAt },
      (key) => key.expiresAt !== null && key.expiresAt < String(expiring?.expiresAt),
    ],
  ];
  for (const [filter, meets] of asks) {
    const page = await listed(keyward, { first: 200, filter: { ...filter, createdBy: adminId() } });
    const expected = ours().filter(meets);
    expect(expected.length).toBeGreaterThan(0);
    expect(page.nodes.map(({ id }) => id)).toEqual(sorted(expected, 'CREATED_AT', 'DESC'));
  }
});

test('keys created while somebody pages neither repeat nor hide the others', async () => {
  const orderBy = { field: 'NAME', direction: 'ASC' };
  const before = await walk({ orderBy }, 200, true);
  const seen: string[] = [];
  const added: string[] = [];
  let after: string | null = null;
  for (let more = true; more;) {
    const page = await listed(keyward, { first: 5, after, orderBy });
    seen.push(...page.nodes.map(({ id }) => id));
    more = page.pageInfo.hasNextPage;
    after = page.pageInfo.endCursor;
    if (added.length >= 20) continue;
    // One that belongs before, and two that belong after the place reached.
    for (const name of ['0', 'apple', 'zz'])
      added.push((await created(keyward, { name })).apiKey.id);
  }
  expect(seen.filter((id) => !added.includes(id))).toEqual(before);
  expect(new Set(seen).size).toBe(seen.length);
  all = (await listed(keyward, { first: 200 })).nodes;
});

const badSizes: readonly (readonly [object, string])[] = [
  [{ first: -1 }, 'first'],
  [{ last: -1 }, 'last'],
  [{ first: 201 }, 'first'],
  [{ last: 201 }, 'last'],
  [{ first: 2_147_483_647 }, 'first'],
  [{ first: 1, last: 1 }, 'last'],
  [{ first: 0, last: 0 }, 'last'],
];
test.each(badSizes)('a page of %j is refused naming %s', async (size, field) => {
  expect(refusal(await listApiKeys(keyward, { ...size }))).toEqual({
    code: 'BAD_USER_INPUT',
    field,
  });
});

test('a page of 200 is the largest, a page of none the smallest', async () => {
  expect((await listed(keyward, { first: 200 })).nodes).toHaveLength(all.length);
  expect((await listed(keyward, { last: 200 })).nodes).toHaveLength(all.length);
  const none = await listed(keyward, { first: 0 });
  expect(none).toMatchObject({ edges: [], pageInfo: { hasNextPage: true, startCursor: null } });
});

const badFilters: readonly (readonly [string, object])[] = [
  ['filter.search', { search: 'a\0' }],
  ['filter.search', { search: 's'.repeat(501) }],
  ['filter.owner', { owner: '\n' }],
  ['filter.application', { application: '\ud83d' }],
  ['filter.createdBy', { createdBy: '\0' }],
  ['filter.tags.1', { tags: ['ok', '\0'] }],
  ['filter.scopes.0', { scopes: ['\0'] }],
  ['filter.tags', { tags: Array.from({ length: 51 }, () => 't') }],
  ['filter.status', { status: [] }],
];
test.each(badFilters)('a filter out of bounds is refused naming %s', async (field, filter) => {
  const answer = await listApiKeys(keyward, { filter });
  expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field });
});

test('no filter and no order shows another organization’s keys, or counts them', async () => {
  const other = await createOrganization(keyward, 'Stranger');
  const foreign = await other.createKey({ name: 'Foreign apple' });
  const { secret: key } = await other.createKey({ name: 'Foreign reader' });
  for (const [filter] of filters) {
    for (const field of fields) {
      const variables = { filter, first: 200, orderBy: { field, direction: 'DESC' } };
      const own = await listed(keyward, variables);
      const theirs = await listed(keyward, variables, { key });
      expect(own.nodes.filter(({ organization }) => organization.id === other.id)).toEqual([]);
      expect(theirs.nodes.filter(({ organization }) => organization.id !== other.id)).toEqual([]);
      expect(theirs.totalCount).toBe(theirs.nodes.length);
    }
  }
  const { data } = await keyward.ask('query ($id: ID!) { apiKey(id: $id) { name } }', {
    id: foreign.id,
  });
  expect(data).toEqual({ apiKey: null });
  const guesses = [{ search: 'Foreign' }, { createdBy: foreign.id }];
  for (const filter of guesses) expect((await listed(keyward, { filter })).totalCount).toBe(0);
});

test('an id in capitals is the same id; what can be no id is no key', async () => {
  const ask = 'query ($id: ID!) { apiKey(id: $id) { id } }';
  expect((await keyward.ask(ask, { id: adminId().toUpperCase() })).data).toEqual({
    apiKey: { id: adminId() },
  });
  for (const id of ['', 'x', '1', "' OR 1=1 --", `${adminId()} `, '\0']) {
    const answer = await keyward.ask(ask, { id });
    expect([answer.errors, answer.data]).toEqual([[], { apiKey: null }]);
  }
});

test('the total is counted only when it is asked for', async () => {
  const { data } = await keyward.ask<{ apiKeys: { totalCount: number } }>(
    '{ apiKeys(first: 0) { totalCount } }',
  );
  expect(data.apiKeys.totalCount).toBe(all.length);
});
