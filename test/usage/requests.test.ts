import { created, refusal, revokeApiKey } from '../support/api-keys';
import { graphql, type Answer } from '../support/http';
import { encodeCursor } from '../../src/kernel/pages';
import { requestListName } from '../../src/usage/api-key-request';
import { parseApiKeyId, parseOrganizationId } from '../../src/kernel/ids';
import type { VerificationOutcome } from '../../src/kernel/key-request';
import { withAdministrator } from '../support/databases';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization, withRooms } from '../support/organizations';
import { until } from '../support/process';
import { askRequests, organizationRequests, requestsOf } from '../support/usage';
import { verifyApiKey } from '../support/verifications';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

async function use(
  key: string,
  operation: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<unknown>> {
  return keyward.ask(`query ${operation} { viewer { kind } }`, {}, { key, headers });
}

/** Records requests as services that ask about keys leave them. */
async function record(
  { id, organization }: { readonly id: string | null; readonly organization: { id: string } },
  requests: readonly {
    readonly requestId: string;
    readonly at?: string;
    readonly service?: string;
    readonly outcome?: VerificationOutcome;
    readonly ip?: string;
  }[],
): Promise<void> {
  const organizationId = parseOrganizationId(organization.id);
  if (organizationId === undefined) throw new Error('no id');
  const apiKeyId = id === null ? null : (parseApiKeyId(id) ?? null);
  await withRooms(keyward, async ({ usage }) =>
    usage.record(
      requests.map(({ at = new Date().toISOString(), ...request }) => ({
        ...{ organizationId, apiKeyId, at: new Date(at), service: 'contacts', operation: null },
        ...{ outcome: 'VALID', ip: null, userAgent: null, durationMs: 1, ...request },
      })),
    ),
  );
}

const idsOf = ({
  nodes,
}: {
  readonly nodes: readonly { readonly requestId: string }[];
}): string[] => nodes.map(({ requestId }) => requestId);

test('a request is listed with who, when, what, from where, how long and how it ended, newest first', async () => {
  const { apiKey, secret } = await created(keyward);
  await use(secret, 'First', { 'x-request-id': 'listed-first', 'user-agent': 'deployer/1.0' });
  await use(secret, 'Second', { 'x-request-id': 'listed-second' });
  const { nodes, pageInfo } = await requestsOf(keyward, apiKey.id);
  expect(nodes).toEqual([
    expect.objectContaining({ requestId: 'listed-second', operation: 'Second' }),
    {
      ...{ requestId: 'listed-first', operation: 'First', service: 'keyward', outcome: 'VALID' },
      ...{ ip: '127.0.0.1', userAgent: 'deployer/1.0', apiKey: { id: apiKey.id } },
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
      durationMs: expect.any(Number) as unknown,
    },
  ]);
  expect(pageInfo.hasNextPage).toBe(false);
});

test('an address is recorded in one way, however the socket or a proxy tells it, and nothing else as one', async () => {
  const { apiKey, secret } = await created(keyward);
  const { graphqlUrl } = await keyward.startReplica({
    ...{ KEYWARD_HOST: '::', KEYWARD_TRUST_PROXY: '127.0.0.1' },
  });
  const addressFor = async (forwarded: string | undefined): Promise<string | null | undefined> => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    await graphql(graphqlUrl, { query: '{ viewer { kind } }' }, { key: secret, headers });
    return (await requestsOf(keyward, apiKey.id, { first: 1 })).nodes[0]?.ip;
  };
  expect(await addressFor(undefined)).toBe('127.0.0.1');
  expect(await addressFor('::ffff:203.0.113.7')).toBe('203.0.113.7');
  expect(await addressFor('2001:db8::7')).toBe('2001:db8::7');
  expect(await addressFor(secret)).toBe('127.0.0.1');
  expect(await addressFor(`fe80::1%${'x'.repeat(5000)}`)).toBe('127.0.0.1');
});

test('an investigation: by request id, outcome, address, service, operation and time, and all at once', async () => {
  const { apiKey, secret } = await created(keyward);
  await use(secret, 'Harmless');
  const answer = await use(secret, 'Suspicious');
  await record(apiKey, [
    { requestId: 'far-1', ip: '203.0.113.7', service: 'contacts' },
    { requestId: 'far-2', ip: '203.0.113.7', service: 'agents', outcome: 'WRONG_ENVIRONMENT' },
    { requestId: 'far-3', ip: '203.0.113.7', at: '2026-01-05T00:00:00Z' },
  ]);
  await revokeApiKey(keyward, { id: apiKey.id });
  const late = await use(secret, 'Late');

  const found = async (filter: Record<string, unknown>): Promise<string[]> =>
    idsOf(await requestsOf(keyward, apiKey.id, { filter }));
  const suspicious = answer.headers.get('x-request-id');
  expect(await found({ operation: 'Suspicious' })).toEqual([suspicious]);
  expect(await found({ requestId: suspicious })).toEqual([suspicious]);
  expect(idsOf(await organizationRequests(keyward, { filter: { requestId: suspicious } }))).toEqual(
    [suspicious],
  );
  const refused = [late.headers.get('x-request-id'), 'far-2'];
  expect(await found({ outcome: ['REVOKED', 'WRONG_ENVIRONMENT'] })).toEqual(refused);
  expect(await found({ ip: '203.0.113.7', outcome: ['VALID'] })).toEqual(['far-1', 'far-3']);
  expect(await found({ ip: '::ffff:203.0.113.7', to: '2026-01-06T00:00:00Z' })).toEqual(['far-3']);
  expect(await found({ service: 'agents' })).toEqual(['far-2']);
  expect(await found({ from: '2026-01-05T00:00:00Z', to: '2026-01-05T00:00:00.001Z' })).toEqual([
    'far-3',
  ]);
  expect(await found({ to: '2026-01-05T00:00:00Z' })).toEqual([]);
  expect(
    await found({ ip: '203.0.113.7', service: 'agents', outcome: ['VALID'], operation: 'X' }),
  ).toEqual([]);
});

test('an IPv4 address is written as such everywhere, also where the socket serves IPv6 too', async () => {
  const { graphqlUrl } = await keyward.startReplica({ KEYWARD_HOST: '::' });
  const port = new URL(graphqlUrl).port;
  const { apiKey, secret } = await created(keyward);
  await graphql(
    `http://127.0.0.1:${port}/graphql`,
    {
      query: `mutation { updateApiKey(input: { id: "${apiKey.id}", owner: "Ops" }) { apiKey { id } } }`,
    },
    { key: keyward.adminKey },
  );
  const own = '{ viewer { kind } }';
  await graphql(`http://127.0.0.1:${port}/graphql`, { query: own }, { key: secret });
  for (const ip of ['127.0.0.1', '::ffff:127.0.0.1']) {
    const { nodes } = await requestsOf(keyward, apiKey.id, { filter: { ip } });
    expect(nodes).toEqual([expect.objectContaining({ ip: '127.0.0.1' })]);
  }
  const { data } = await keyward.ask(
    'query ($id: ID!) { apiKey(id: $id) { auditEvents(first: 1) { nodes { action ip } } } }',
    { id: apiKey.id },
  );
  const event = { action: 'api_key.updated', ip: '127.0.0.1' };
  expect(data).toEqual({ apiKey: { auditEvents: { nodes: [event] } } });
});

test.each([
  ['2001:DB8:0:0::00C0', '2001:db8::c0'],
  ['0:0:0:0:0:ffff:c000:0201', '192.0.2.1'],
  ['fe80::1%eth0', 'fe80::1'],
])('however a service writes %s, it is one address to whoever looks for it', async (told, ip) => {
  const { apiKey, secret } = await created(keyward);
  await verifyApiKey(keyward, { key: secret, clientIp: told });
  for (const looked of [told, ip]) {
    const { nodes } = await requestsOf(keyward, apiKey.id, { filter: { ip: looked } });
    expect(nodes).toEqual([expect.objectContaining({ ip })]);
  }
});

test('what was presented and is no key’s is listed with a null key', async () => {
  const { apiKey } = await created(keyward);
  const nobodys = { id: null, organization: apiKey.organization };
  await record(nobodys, [{ requestId: 'guess', outcome: 'UNKNOWN', ip: '198.51.100.1' }]);
  const { nodes } = await organizationRequests(keyward, { filter: { outcome: ['UNKNOWN'] } });
  expect(nodes).toMatchObject([{ requestId: 'guess', apiKey: null, ip: '198.51.100.1' }]);
});

test('page by page every request is met once, though others are added meanwhile', async () => {
  const { apiKey } = await created(keyward);
  const at = '2026-01-02T00:00:00.000Z'; // many at the same instant
  const ids = Array.from({ length: 25 }, (_, index) => `paged-${String(index)}`);
  await record(
    apiKey,
    ids.map((requestId) => ({ requestId, at })),
  );
  const met: string[] = [];
  let after: string | null = null;
  do {
    const page = await requestsOf(keyward, apiKey.id, { first: 4, after });
    met.push(...idsOf(page));
    expect(page.edges.at(-1)?.cursor).toBe(page.pageInfo.endCursor);
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    await record(apiKey, [{ requestId: `added-${String(met.length)}` }]);
  } while (after !== null);
  expect(met).toHaveLength(ids.length);
  expect([...met].sort()).toEqual([...ids].sort());
});

test('few among many are found over as many pages as it takes, none of which looks at too much', async () => {
  const { apiKey } = await created(keyward);
  await keyward.database.sql(
    `INSERT INTO api_key_requests (id, at, organization_id, api_key_id, request_id, service, outcome, ip)
     SELECT gen_random_uuid(), now() + (200000 - i) * interval '1 ms', organization_id, id, 'many-' || i,
       'contacts', 'VALID', CASE WHEN i IN (7, 60000, 110000) THEN '192.0.2.66' ELSE '192.0.2.1' END
     FROM api_keys, generate_series(1, 120000) AS i WHERE id = $1`,
    [apiKey.id],
  );
  const filter = { ip: '192.0.2.66' };
  const pages: string[][] = [];
  let after: string | null = null;
  do {
    const page = await requestsOf(keyward, apiKey.id, { after, filter });
    pages.push(idsOf(page));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  expect(pages).toEqual([['many-7'], ['many-60000'], ['many-110000']]);
  const full = await requestsOf(keyward, apiKey.id, { first: 1, filter });
  expect([idsOf(full), full.pageInfo.hasNextPage]).toEqual([['many-7'], true]);
  const none = await requestsOf(keyward, apiKey.id, { filter: { ip: '192.0.2.99' } });
  expect([none.nodes, none.pageInfo.hasNextPage]).toEqual([[], true]);
});

test('another organization’s requests are met by no path', async () => {
  const other = await createOrganization(keyward, 'Requests elsewhere');
  const { secret: key } = await other.createKey();
  await use(key, 'Theirs', { 'x-request-id': 'theirs-0001' });
  const theirs = await organizationRequests(keyward, {}, { key });
  expect(idsOf(theirs)).toEqual(['theirs-0001']);
  const filter = { requestId: 'theirs-0001' };
  expect((await organizationRequests(keyward, { filter })).nodes).toEqual([]);
  const after = theirs.pageInfo.endCursor;
  expect(refusal(await askRequests(keyward, { after }))).toEqual({
    code: 'BAD_USER_INPUT',
    field: 'after',
  });
});

test('analytics:read is enough to see which keys requests were made with', async () => {
  const { secret: key } = await created(keyward, { scopes: ['analytics:read'] });
  const { id } = (await created(keyward)).apiKey;
  const requestId = `of-${id}`;
  await keyward.database.sql(
    `INSERT INTO api_key_requests (id, at, organization_id, api_key_id, request_id, service, outcome)
     SELECT gen_random_uuid(), now(), organization_id, id, $2, 'any', 'VALID'
     FROM api_keys WHERE id = $1`,
    [id, requestId],
  );
  const answer = await askRequests(keyward, { filter: { requestId } }, { key });
  expect(answer.data.apiKeyRequests?.nodes).toMatchObject([{ apiKey: { id } }]);
});

test.each([
  ['first', { first: 201 }],
  ['first', { first: -1 }],
  ['after', { after: '' }],
  ['filter.ip', { filter: { ip: '\u0000' } }],
  ['filter.requestId', { filter: { requestId: 'a\u0000b' } }],
  ['filter.service', { filter: { service: 'x'.repeat(501) } }],
  ['filter.operation', { filter: { operation: '\ud800' } }],
  ['filter.outcome', { filter: { outcome: [] } }],
  ['filter.outcome', { filter: { outcome: Array.from({ length: 51 }, () => 'VALID') } }],
  ['filter.from', { filter: { from: '2026-01-02T00:00:00Z', to: '2026-01-02T00:00:00Z' } }],
])('a bad %s is refused by name', async (field, page) => {
  expect(refusal(await askRequests(keyward, page))).toEqual({ code: 'BAD_USER_INPUT', field });
});

test('a cursor that somebody else wrote is refused, even with its checksum', async () => {
  const { apiKey } = await created(keyward);
  const organizationId = parseOrganizationId(apiKey.organization.id);
  if (organizationId === undefined) throw new Error('no id');
  const list = requestListName({ organizationId });
  const instant = '2026-01-01T00:00:00.000Z';
  const places = [
    ...['infinity', '0000-01-01T00:00:00.000Z', '+275760-09-13T00:00:00.000Z', '2026-01-01'],
    ...['', '\u0000'],
  ].map((value) => ({ value, id: apiKey.id }));
  for (const place of [...places, { value: instant, id: 'x' }]) {
    const answer = await askRequests(keyward, { after: encodeCursor(place, list) });
    expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field: 'after' });
  }
  const after = encodeCursor({ value: instant, id: apiKey.id }, list);
  expect((await askRequests(keyward, { after })).errors).toEqual([]);
});

test('the ends of time can be asked about', async () => {
  const filter = { from: '0000-01-01T00:00:00Z', to: '9999-12-31T23:59:59.999Z' };
  const { nodes } = await organizationRequests(keyward, { first: 1, filter });
  expect(nodes).toHaveLength(1);
});

test('requests on a page of keys are read for as many keys as the cost allows, and no more', async () => {
  const document = (first: number): string =>
    `{ apiKeys(first: ${String(first)}) { nodes { requests(first: 5) { nodes { at } } } } }`;
  expect(
    (await graphql(keyward.url, { query: document(10) }, { key: keyward.adminKey })).status,
  ).toBe(200);
  const refused = await keyward.ask(document(50));
  expect(refused.errors[0]?.extensions).toMatchObject({ limit: 'cost' });
});

test('however much of usage is read, and however slowly, keys are judged and requests recorded meanwhile', async () => {
  const { secret: key } = await created(keyward);
  const replica = await keyward.startReplica({
    KEYWARD_DATABASE_POOL_SIZE: '10',
    KEYWARD_DATABASE_CONNECT_TIMEOUT_MS: '5000', // sooner than readers give up
  });
  const [day] = await keyward.database.sql<{ name: string }>(
    `SELECT max(inhrelid::regclass::text) AS name FROM pg_inherits
     WHERE inhparent = 'api_key_requests'::regclass`,
  );
  const aliases = Array.from({ length: 12 }, (_, index) => `a${String(index)}`);
  const query = `{ ${aliases.map((name) => `${name}: apiKeyRequests(first: 1) { nodes { at } }`).join(' ')} }`;
  await withAdministrator(keyward.database.url, async (holder) => {
    await holder.query('BEGIN');
    // A day to come, which readers look into and nobody writes to.
    await holder.query(`LOCK TABLE ${day?.name ?? ''}`);
    const slow = graphql<Record<string, unknown>>(
      replica.graphqlUrl,
      { query },
      { key: keyward.adminKey },
    );
    await until('readers wait', async () => {
      const waiting = await keyward.database.sql('SELECT 1 FROM pg_locks WHERE NOT granted');
      return waiting.length >= 2;
    });
    const answer = await graphql(replica.graphqlUrl, { query: '{ viewer { kind } }' }, { key });
    expect(answer.status).toBe(200);
    await holder.query('COMMIT');
    const { status, data } = await slow;
    expect(status).toBe(200);
    expect(Object.keys(data)).toEqual(aliases);
  });
});
