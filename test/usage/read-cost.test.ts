import { parseApiKeyId, parseOrganizationId } from '../../src/kernel/ids';
import type { Cursor } from '../../src/kernel/pages';
import type { ApiKeyRequestFilter, RequestsOf } from '../../src/usage/api-key-request';
import { ApiKeyRequestRepository } from '../../src/usage/api-key-request.repository';
import { cloneDatabase, type TestDatabase } from '../support/databases';
import { createOrganization, withRooms } from '../support/organizations';

const requests = 30_000;
const size = 20;
// Where there are hardly more, PostgreSQL may read and sort them instead of following an index.
const fewRows = 5 * (size + 1);

let database: TestDatabase;
let organization: RequestsOf;
let key: RequestsOf;
beforeAll(async () => {
  database = await cloneDatabase();
  const { id, createKey } = await createOrganization({ database }, 'Busy');
  const [organizationId, apiKeyId] = [
    parseOrganizationId(id),
    parseApiKeyId((await createKey()).id),
  ];
  if (organizationId === undefined || apiKeyId === undefined) throw new Error('no ids');
  [organization, key] = [{ organizationId }, { organizationId, apiKeyId }];
  await withRooms({ database }, async ({ usage }) => usage.prepare());
  // Three whole days, or PostgreSQL would read the few rows of a day that has hardly begun or is almost
  // over. One request in a hundred is that of the key, one in a thousand was refused, half are those
  // of another organization.
  await database.sql(
    `INSERT INTO api_key_requests (id, at, organization_id, api_key_id, request_id, service, outcome)
     SELECT gen_random_uuid(), tomorrow + ((i - 1) * 3.0 / $3) * interval '1 day',
       CASE WHEN i % 2 = 0 THEN $1::uuid ELSE gen_random_uuid() END,
       CASE WHEN i % 100 = 0 THEN $2::uuid ELSE gen_random_uuid() END, 'request-' || i, 'test',
       CASE WHEN i % 1000 = 0 THEN 'REVOKED' ELSE 'VALID' END
     FROM generate_series(1, $3::int) AS i,
       date_trunc('day', now() + interval '1 day', 'UTC') AS tomorrow`,
    [organizationId, apiKeyId, requests],
  );
  await database.sql('VACUUM ANALYZE api_key_requests');
}, 60_000);
afterAll(async () => database.drop());

/** How many records the database looks at to give a page. */
async function rowsReadFor(
  of: RequestsOf,
  filter: ApiKeyRequestFilter,
  expectedEdges: number,
  after?: Cursor,
): Promise<number> {
  return withRooms({ database }, async (_rooms, connections) =>
    connections.transaction(async (tx) => {
      const page = { size, backward: false, after, before: undefined };
      const { edges } = await new ApiKeyRequestRepository().page(tx, of, filter, page);
      expect(edges).toHaveLength(expectedEdges);
      const rows: { read: number }[] = await tx.query(
        `SELECT sum(seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables
         WHERE relname LIKE 'api\\_key\\_requests%'`,
      );
      return rows[0]?.read ?? Infinity;
    }),
  );
}

test('a page costs the same wherever it lies, for a key as for the organization', async () => {
  for (const whose of [organization, key]) {
    const [middle] = await database.sql<Cursor>(
      `SELECT at::text AS value, id FROM api_key_requests
       WHERE organization_id = $1 AND api_key_id = coalesce($2, api_key_id)
       ORDER BY at, id OFFSET $3 LIMIT 1`,
      [whose.organizationId, whose.apiKeyId, whose === key ? 150 : requests / 4],
    );
    expect(await rowsReadFor(whose, {}, size)).toBeLessThanOrEqual(fewRows);
    expect(await rowsReadFor(whose, {}, size, middle)).toBeLessThanOrEqual(fewRows);
  }
});

test('one request is found by its id without reading the others', async () => {
  expect(await rowsReadFor(organization, { requestId: 'request-500' }, 1)).toBeLessThanOrEqual(1);
  // Another organization's.
  expect(await rowsReadFor(organization, { requestId: 'request-501' }, 0)).toBeLessThanOrEqual(1);
});

test('the few that were refused are found without reading those that were not', async () => {
  const filter = { outcome: ['REVOKED'] as const };
  expect(await rowsReadFor(organization, filter, size)).toBeLessThanOrEqual(
    requests / 1000 + fewRows,
  );
});

test('only the days asked for are read', async () => {
  const [day] = await database.sql<{ from: Date; to: Date }>(
    `SELECT now() + interval '1 day' AS from, now() + interval '1 day 1 minute' AS to`,
  );
  const read = await rowsReadFor(organization, { ...day, service: 'nothing' }, 0);
  expect(read).toBeLessThanOrEqual(fewRows);
});
