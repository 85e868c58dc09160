import { mintKey } from '../../src/keys/key-secret';
import { withAdministrator } from '../support/databases';
import type { AnswerError } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { readableLog } from '../support/log';
import { send, sendJson, type RawAnswer } from '../support/raw-http';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

const whoAmI = JSON.stringify({ query: '{ viewer { kind } }' });
const authorized = (authorization: string | string[]) =>
  sendJson(keyward.url, whoAmI, { authorization });
const neverIssued = () => mintKey({ prefix: 'sk', showEnvironment: true }, 'LIVE').secret;
/** The key with another last character: the shape of a key, and a wrong checksum. */
const mistyped = (key: string) => key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');

const noCredentials = 'Bearer realm="keyward"';
const invalidToken = 'Bearer error="invalid_token"';
const insufficientScope = 'Bearer error="insufficient_scope"';

function expectRefused(answer: RawAnswer, reason: string) {
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toBe(invalidToken);
  const { data, errors = [] } = answer.body;
  expect(data).toBeUndefined();
  expect(errors).toHaveLength(1);
  const requestId = answer.headers['x-request-id'];
  expect(errors[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED', reason, requestId });
}

describe('credentials', () => {
  test.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])(
    'are read after the scheme %s',
    async (as) => {
      const answer = await authorized(`${as} ${keyward.adminKey}`);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ data: { viewer: { kind: 'API_KEY' } } });
      expect(answer.headers['www-authenticate']).toBeUndefined();
    },
  );

  test('in more than one Authorization header are refused with 400, whichever is good', async () => {
    const good = `Bearer ${keyward.adminKey}`;
    for (const headers of [
      [good, good],
      ['Bearer nonsense', good],
      [good, ''],
    ]) {
      const answer = await authorized(headers);
      expect(answer.status).toBe(400);
      expect(answer.body.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
    }
  });

  test.each([
    '',
    'Bearer',
    'Bearer ',
    'Basic dXNlcjpwYXNzd29yZA==',
    'sk_live_without_a_scheme',
    'Bearer a b',
    'Bearer nonsense',
    'Bearer "quoted"',
    `Bearer ${'x'.repeat(10_000)}`,
    'Bearer \u00fc\u00ff',
  ])('"%.40s" are refused as MALFORMED', async (header) => {
    expectRefused(await authorized(header), 'MALFORMED');
  });

  test('with a wrong checksum are refused as MALFORMED', async () => {
    expectRefused(await authorized(`Bearer ${mistyped(keyward.adminKey)}`), 'MALFORMED');
  });

  test('that were never issued are refused as UNKNOWN', async () => {
    expectRefused(await authorized(`Bearer ${neverIssued()}`), 'UNKNOWN');
  });

  test('MALFORMED and UNKNOWN answer alike but for the word', async () => {
    const malformed = await authorized(`Bearer ${mistyped(neverIssued())}`);
    const unknown = await authorized(`Bearer ${neverIssued()}`);
    const shown = ({ status, headers, text }: RawAnswer, word: string) => ({
      status,
      headers: { ...headers, date: '', 'x-request-id': '', 'content-length': '' },
      text: text.replace(word, 'WORD').replace(String(headers['x-request-id']), 'ID'),
    });
    expect(shown(unknown, 'UNKNOWN')).toEqual(shown(malformed, 'MALFORMED'));
  });

  test('that have expired are refused as EXPIRED', async () => {
    const { id, secret } = await keyward.createKey({ expiresIn: 'P1D' });
    await keyward.database.sql(
      `UPDATE api_keys SET expires_at = statement_timestamp() WHERE id = $1`,
      [id],
    );
    expectRefused(await authorized(`Bearer ${secret}`), 'EXPIRED');
  });

  test('that were revoked are refused as REVOKED', async () => {
    const { id, secret } = await keyward.createKey();
    await keyward.ask(
      `mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: UNUSED }) { apiKey { id } } }`,
      { id },
    );
    expectRefused(await authorized(`Bearer ${secret}`), 'REVOKED');
  });

  test('of a revoked or expired key are only MALFORMED or UNKNOWN without the right secret', async () => {
    const { id, secret } = await keyward.createKey();
    await keyward.ask(
      `mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: UNUSED }) { apiKey { id } } }`,
      { id },
    );
    expectRefused(await authorized(`Bearer ${mistyped(secret)}`), 'MALFORMED');
  });

  test('are refused for the whole request, however much of it is open to all', async () => {
    const query = '{ __typename viewer { kind } }';
    const body = JSON.stringify({ query });
    expectRefused(await sendJson(keyward.url, body, { authorization: 'Bearer x' }), 'MALFORMED');
    const path = `/graphql?query=${encodeURIComponent(query)}`;
    const headers = { authorization: 'Bearer x' };
    expectRefused(await send(keyward.url, { method: 'GET', path, headers }), 'MALFORMED');
  });

  test('in URLs, bodies and cookies are ignored', async () => {
    const key = keyward.adminKey;
    const anonymous = { data: { viewer: { kind: 'ANONYMOUS' } } };
    const query = '{ viewer { kind } }';
    const names = ['access_token', 'api_key', 'key', 'token', 'authorization', 'Authorization'];
    const search = new URLSearchParams([['query', query], ...names.map((name) => [name, key])]);
    const inUrl = await send(keyward.url, { method: 'GET', path: `/graphql?${search.toString()}` });
    expect(inUrl.body).toEqual(anonymous);
    const members = Object.fromEntries(names.map((name) => [name, key]));
    const body = JSON.stringify({ ...members, query, variables: members, extensions: members });
    expect((await sendJson(keyward.url, body)).body).toEqual(anonymous);
    const cookie = names.map((name) => `${name}=${key}`).join('; ');
    const headers = { cookie, 'x-api-key': key, 'proxy-authorization': `Bearer ${key}` };
    expect((await sendJson(keyward.url, whoAmI, headers)).body).toEqual(anonymous);
  });

  test('that are malformed never reach the database; all others need it, and get 503', async () => {
    const own = await startTestKeyward();
    const name = new URL(own.database.url).pathname.slice(1);
    const administer = (sql: string) =>
      withAdministrator(process.env.KEYWARD_TEST_SERVER ?? '', (client) => client.query(sql));
    try {
      await administer(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
      await administer(
        `SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = '${name}'`,
      );
      const presented = (key: string) =>
        sendJson(own.url, whoAmI, { authorization: `Bearer ${key}` });
      expectRefused(await presented(mistyped(own.adminKey)), 'MALFORMED');
      expectRefused(await presented('nonsense'), 'MALFORMED');
      expect((await sendJson(own.url, whoAmI)).body).toEqual({
        data: { viewer: { kind: 'ANONYMOUS' } },
      });
      for (const key of [own.adminKey, neverIssued()]) {
        const answer = await presented(key);
        expect(answer.status).toBe(503);
        expect(answer.headers['retry-after']).toBe('1');
        expect(answer.body.errors?.[0]?.extensions).toEqual({
          code: 'UNAVAILABLE',
          requestId: answer.headers['x-request-id'],
        });
      }
      const notReady = await send(own.url, { method: 'GET', path: '/readyz' });
      expect(notReady.status).toBe(503);
      expect(notReady.headers['retry-after']).toBe('1');
      expect((await send(own.url, { method: 'GET', path: '/livez' })).status).toBe(200);
      await administer(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      expect((await presented(own.adminKey)).status).toBe(200);
      expect((await send(own.url, { method: 'GET', path: '/readyz' })).status).toBe(200);
    } finally {
      await administer(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await own.stop();
    }
  });
});

describe('without credentials', () => {
  const refused = { code: 'UNAUTHORIZED_FIELD_OR_TYPE', reason: 'UNAUTHENTICATED' };

  test('viewer answers ANONYMOUS', async () => {
    const query = '{ viewer { kind scopes apiKey { id } organization { id } } }';
    const answer = await keyward.ask(query, {}, { key: null });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      data: { viewer: { kind: 'ANONYMOUS', scopes: [], apiKey: null, organization: null } },
    });
  });

  test('a protected field is null and refused, and its siblings survive', async () => {
    const answer = await keyward.ask(
      '{ viewer { kind } apiKeys { totalCount } scopes { name } }',
      {},
      { key: null },
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.get('www-authenticate')).toBeNull();
    expect(answer.data).toEqual({ viewer: { kind: 'ANONYMOUS' }, apiKeys: null, scopes: null });
    expect(byPath(answer.errors)).toMatchObject({ apiKeys: refused, scopes: refused });
  });

  test.each([
    '{ apiKeys { totalCount } }',
    '{ scopes { name } apiKey(id: "x") { id } }',
    'mutation { createApiKey(input: { name: "x" }) { secret } }',
    'mutation { revokeCurrentApiKey(reason: OTHER) { apiKey { id } } }',
  ])('%s, every root field of which is refused, is answered with 401 and the realm', async (q) => {
    const answer = await keyward.ask(q, {}, { key: null });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe(noCredentials);
    expect(new Set(Object.values(answer.data))).toEqual(new Set([null]));
    for (const error of answer.errors) expect(error.extensions).toMatchObject(refused);
  });

  test.each(['{ __typename scopes { name } }', '{ viewer { kind } scopes { name } }'])(
    '%s, one root field of which is open to all, is answered with 200',
    async (query) => {
      const answer = await keyward.ask(query, {}, { key: null });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('www-authenticate')).toBeNull();
      expect(answer.errors).toHaveLength(1);
    },
  );
});

describe('without the scope', () => {
  test('a protected field is null and says what it needs and what is missing', async () => {
    const { secret } = await keyward.createKey({ scopes: ['contacts:read'] });
    const answer = await keyward.ask(
      '{ viewer { kind } scopes { name } apiKeys { totalCount } }',
      {},
      { key: secret },
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.get('www-authenticate')).toBeNull();
    expect(answer.data).toMatchObject({ viewer: { kind: 'API_KEY' }, apiKeys: null });
    expect(byPath(answer.errors)).toEqual({
      apiKeys: {
        code: 'UNAUTHORIZED_FIELD_OR_TYPE',
        reason: 'INSUFFICIENT_SCOPE',
        requiredScopes: [['api_keys:read']],
        missingScopes: [['api_keys:read']],
        requestId: answer.headers.get('x-request-id'),
      },
    });
  });

  test('a request whose every root field is refused is answered with 403', async () => {
    const { secret } = await keyward.createKey({ scopes: ['contacts:read'] });
    for (const query of [
      '{ apiKeys { totalCount } }',
      '{ a: apiKeys { totalCount } b: apiKey(id: "x") { id } }',
      'mutation { createApiKey(input: { name: "x", scopes: [] }) { secret } }',
    ]) {
      const answer = await keyward.ask(query, {}, { key: secret });
      expect(answer.status).toBe(403);
      expect(answer.headers.get('www-authenticate')).toBe(insufficientScope);
    }
  });

  test('full access needs no other scope', async () => {
    const { errors } = await keyward.ask('{ apiKeys { totalCount } scopes { name } }');
    expect(errors).toEqual([]);
  });
});

describe('request ids', () => {
  test.each(['abcdefgh', 'A.b-C_9.', '0'.repeat(64)])('of the client are kept: %s', async (id) => {
    const answer = await sendJson(keyward.url, whoAmI, { 'x-request-id': id });
    expect(answer.headers['x-request-id']).toBe(id);
  });

  test.each([
    ['too short', 'abcdefg'],
    ['too long', '0'.repeat(65)],
    ['with a space', 'abcd efgh'],
    ['empty', ''],
    ['with other characters', 'abcdefgh;'],
    ['given twice', ['abcdefgh', 'abcdefgh']],
    ['that are keys', neverIssued()],
  ])('of the client %s are replaced', async (_what, id) => {
    const answer = await sendJson(keyward.url, whoAmI, { 'x-request-id': id });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('stand in every error and in the header', async () => {
    const requestId = 'request.of-this_test';
    for (const body of [
      '{',
      '{"query":1}',
      '{"query":"{"}',
      '{"query":"{ nope nopeToo }"}',
      '{"query":"{ viewer { kind } scopes { name } apiKeys { totalCount } }"}',
      '{"query":"query ($id: ID!) { apiKey(id: $id) { id } }"}',
      '{"query":"query a { viewer { kind } } query b { viewer { kind } }"}',
    ]) {
      const answer = await sendJson(keyward.url, body, { 'x-request-id': requestId });
      expect(answer.headers['x-request-id']).toBe(requestId);
      const ids = answer.body.errors?.map(({ extensions }) => extensions.requestId) ?? [];
      expect(ids.length).toBeGreaterThan(0);
      expect(new Set(ids)).toEqual(new Set([requestId]));
      for (const { extensions } of answer.body.errors ?? []) expect(extensions.code).toBeDefined();
    }
  });
});

describe('a key that ends soon', () => {
  test('is told so by a header, from 30 days on', async () => {
    const soon = await keyward.createKey({ expiresIn: 'P29D' });
    const [row] = await keyward.database.sql<{ at: Date }>(
      `SELECT expires_at AS at FROM api_keys WHERE id = $1`,
      [soon.id],
    );
    const told = await authorized(`Bearer ${soon.secret}`);
    expect(told.headers['keyward-key-expires-at']).toBe(row?.at.toISOString());
    const later = await keyward.createKey({ expiresIn: 'P31D' });
    const untold = await authorized(`Bearer ${later.secret}`);
    expect(untold.headers['keyward-key-expires-at']).toBeUndefined();
    const never = await authorized(`Bearer ${keyward.adminKey}`);
    expect(never.headers['keyward-key-expires-at']).toBeUndefined();
  });
});

describe('the log', () => {
  test('promise 7: has unexpected errors whole, with the request id; the client gets them masked', async () => {
    const log = readableLog();
    const own = await startTestKeyward({}, log.logger);
    try {
      await own.database.sql('ALTER TABLE audit_events RENAME TO broken');
      const field = await own.ask('{ viewer { kind } auditEvents { nodes { id } } }');
      expect(field.status).toBe(200);
      expect(field.data).toEqual({ viewer: { kind: 'API_KEY' }, auditEvents: null });
      const requestId = field.headers.get('x-request-id');
      expect(field.errors[0]?.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', requestId });
      expect(field.text).not.toMatch(/audit_events|relation|select/i);
      expect(JSON.stringify(log.of(requestId))).toContain('\\"audit_events\\" does not exist');

      await own.database.sql('ALTER TABLE api_keys RENAME TO broken_too');
      const whole = await own.ask('{ viewer { kind } }');
      expect(whole.status).toBe(500);
      const id = whole.headers.get('x-request-id');
      expect(whole.errors[0]?.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', requestId: id });
      expect(whole.text).not.toMatch(/api_keys|relation|select/i);
      expect(JSON.stringify(log.of(id))).toContain('\\"api_keys\\" does not exist');
    } finally {
      await own.stop();
    }
  });

  test('has nothing of refusals, and no key wherever it was put', async () => {
    const log = readableLog();
    const own = await startTestKeyward({}, log.logger);
    try {
      const key = own.adminKey;
      const answer = await own.ask(
        `query ${key} { ${key}: auditEvents { nodes { id } } apiKey(id: "${key}") { id } }`,
        {},
        { key, headers: { 'user-agent': `curl ${key}`, 'x-request-id': key } },
      );
      expect(answer.status).toBe(200);
      await own.ask('{ scopes { name } apiKeys { totalCount } }', {}, { key: null });
      await own.ask('{ scopes { name } }', {}, { key: mistyped(key) });
      expect(log.text()).not.toContain('a request met an error');
      await own.database.sql('ALTER TABLE audit_events RENAME TO broken');
      await own.ask(`query ${key} { ${key}: auditEvents { nodes { id } } }`);
      expect(log.text()).toContain('a request met an error');
      expect(log.text()).not.toContain(key.slice(8));
      const [records] = await own.database.sql<{ text: string }>(
        `SELECT json_agg(api_key_requests)::text AS text FROM api_key_requests`,
      );
      expect(records?.text).toContain('"user_agent":"curl [redacted]"');
      expect(records?.text).toContain('"operation":"[redacted]"');
      expect(records?.text).not.toContain(key.slice(8));
    } finally {
      await own.stop();
    }
  });
});

function byPath(errors: readonly AnswerError[]): Record<string, AnswerError['extensions']> {
  return Object.fromEntries(errors.map(({ path, extensions }) => [String(path), extensions]));
}
