import { parseOrganizationId, type OrganizationId } from '../../src/kernel/ids';
import type { Cursor, PageRequest } from '../../src/kernel/pages';
import type { ApiKeyFilter, ApiKeyOrder } from '../../src/keys/api-key-list';
import { ApiKeyListRepository } from '../../src/keys/api-key-list.repository';
import { cloneDatabase, type TestDatabase } from '../support/databases';
import { createOrganization, withRooms } from '../support/organizations';

const keys = 20_000;
const size = 20;
// For each key of the page and the one after it: its place in an index's table, itself, its last use.
const fewRows = 3 * (size + 1);

let database: TestDatabase;
let organizationId: OrganizationId;
beforeAll(async () => {
  database = await cloneDatabase();
  const { id } = await createOrganization({ database }, 'Large');
  const parsed = parseOrganizationId(id);
  if (parsed === undefined) throw new Error('no id');
  organizationId = parsed;
  // One key in a hundred is not revoked, one in five ends, one in two was used.
  await database.sql(
    `INSERT INTO api_keys (id, organization_id, name, environment, prefix, redacted, scopes,
       digest, pepper_id, created_at, created_by_kind, created_by_id, created_by_name, expires_at,
       owner, application, tags, metadata, revoked_at, revoked_by_kind, revoked_by_name,
       revocation_reason)
     SELECT gen_random_uuid(), $1, 'Key ' || i % 1000, 'LIVE', 'sk_live_aaaaaa', 'x', '{}',
       sha256(i::text::bytea), 'none', day - i / 3 * interval '1 minute', 'USER',
       'person-' || i % 1000, 'Somebody',
       CASE WHEN i % 5 = 0 THEN day + (i % 700 - 350) * interval '1 day' END,
       'owner-' || i % 1000, 'application-' || i % 1000, '{}', '{}', revoked, word, word, word
     FROM generate_series(1, $2::int) AS i, date_trunc('day', now()) AS day,
       LATERAL (SELECT CASE WHEN i % 100 <> 0 THEN day END AS revoked) AS ended,
       LATERAL (SELECT CASE WHEN revoked IS NOT NULL THEN 'OTHER' END AS word) AS why`,
    [organizationId, keys],
  );
  await database.sql(
    `INSERT INTO api_key_last_uses
     SELECT id, organization_id, CASE WHEN get_byte(digest, 0) < 128 THEN created_at
                                 ELSE '-infinity' END FROM api_keys`,
  );
  await database.sql('VACUUM ANALYZE api_keys, api_key_last_uses');
}, 60_000);
afterAll(async () => database.drop());

/** How many rows the database looks at to give a page. */
async function rowsReadFor(
  filter: ApiKeyFilter,
  order: ApiKeyOrder,
  place: Partial<PageRequest>,
  expectedEdges = size,
): Promise<number> {
  return withRooms({ database }, async (_rooms, connections) =>
    connections.transaction(async (tx) => {
      const request = { size, backward: false, after: undefined, before: undefined, ...place };
      const lists = new ApiKeyListRepository();
      const { edges } = await lists.page(tx, organizationId, filter, order, request);
      expect(edges).toHaveLength(expectedEdges);
      const rows: { read: number }[] = await tx.query(
        `SELECT sum(seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables
         WHERE relname IN ('api_keys', 'api_key_last_uses')`,
      );
      return rows[0]?.read ?? Infinity;
    }),
  );
}

/** A place half-way through the list. */
async function middleOf({ field, direction }: ApiKeyOrder): Promise<Cursor | undefined> {
  const [value, sorted] = {
    CREATED_AT: ['created_at', 'created_at'],
    NAME: ['name', 'lower(name) COLLATE "C"'],
    EXPIRES_AT: [`coalesce(expires_at, 'infinity')`, `coalesce(expires_at, 'infinity')`],
    LAST_USED_AT: ['last_used_at', 'last_used_at'],
  }[field];
  const [row] = await database.sql<Cursor>(
    `SELECT (${value})::text AS value, id
     FROM api_keys JOIN api_key_last_uses USING (organization_id)
     WHERE api_key_id = id AND organization_id = $1
     ORDER BY ${sorted} ${direction}, id ${direction} OFFSET $2 LIMIT 1`,
    [organizationId, keys / 2],
  );
  return row;
}

const orders = (['CREATED_AT', 'NAME', 'EXPIRES_AT', 'LAST_USED_AT'] as const).flatMap((field) => [
  { field, direction: 'ASC' as const },
  { field, direction: 'DESC' as const },
]);
test.each(orders)('a page costs the same wherever it lies: $field $direction', async (order) => {
  const middle = await middleOf(order);
  const places: readonly Partial<PageRequest>[] = [
    {},
    { backward: true },
    { after: middle },
    { before: middle, backward: true },
  ];
  for (const place of places) {
    expect(await rowsReadFor({}, order, place)).toBeLessThanOrEqual(fewRows);
  }
});

const newestFirst: ApiKeyOrder = { field: 'CREATED_AT', direction: 'DESC' };
const rare: readonly (readonly [string, ApiKeyFilter])[] = [
  ['owner', { owner: 'owner-7' }],
  ['application', { application: 'application-7' }],
  ['createdBy', { createdBy: 'person-7' }],
];
test.each(rare)(
  'the few keys of one %s are found without reading the others',
  async (_, filter) => {
    expect(await rowsReadFor(filter, newestFirst, {})).toBeLessThanOrEqual(fewRows);
  },
);

test('the few keys that are not revoked are found without reading the others', async () => {
  const notRevoked = keys / 100;
  for (const order of orders) {
    const read = await rowsReadFor({ status: ['ACTIVE'] }, order, {});
    expect(read).toBeLessThanOrEqual(2 * notRevoked + fewRows);
  }
});

test('keys that end before a day are read from the index of ends', async () => {
  const expiresBefore = new Date();
  expiresBefore.setUTCDate(expiresBefore.getUTCDate() - 349);
  const order = { field: 'EXPIRES_AT', direction: 'ASC' } as const;
  expect(await rowsReadFor({ expiresBefore }, order, {})).toBeLessThanOrEqual(fewRows);
  const none = { expiresBefore: new Date('2000-01-01') };
  expect(await rowsReadFor(none, newestFirst, {}, 0)).toBe(0);
});

test('keys unused since a day are read from the index of last uses', async () => {
  const unusedSince = new Date('2020-01-01');
  const order = { field: 'LAST_USED_AT', direction: 'DESC' } as const;
  expect(await rowsReadFor({ unusedSince }, order, {})).toBeLessThanOrEqual(fewRows);
});
