import { created, refusal } from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { readableLog } from '../support/log';
import { startProxy, type Proxy } from '../support/proxy';
import { send } from '../support/raw-http';
import { postVerifications, recordsOf, verifyApiKey } from '../support/verifications';

const log = readableLog();
let keyward: TestKeyward;
let verifier: { id: string; secret: string };
let secret: string;
/** Between a replica and its database. */
let link: Proxy;
let replica: string;
beforeAll(async () => {
  keyward = await startTestKeyward({}, log.logger);
  link = await startProxy(keyward.database.url);
  replica = (await keyward.startReplica({ DATABASE_URL: link.url })).graphqlUrl;
  verifier = await keyward.createKey({ scopes: ['api_keys:verify'] });
  ({ secret } = await created(keyward));
});
afterAll(async () => {
  await keyward.stop();
  link.close();
});

const batch = async (verifications: unknown) =>
  postVerifications(keyward, verifications, { key: verifier.secret });

/** POSTs as the verifier. */
const post = async (url: string, path: string, body: string, type = 'json') =>
  send(url, {
    ...{ path, body },
    headers: { authorization: `Bearer ${verifier.secret}`, 'content-type': `application/${type}` },
  });

/** Every door with a live key before it. */
const doors: Readonly<Record<string, (url: string) => ReturnType<typeof send>>> = {
  '/graphql': async (url) => {
    const query =
      'mutation ($input: VerifyApiKeyInput!) { verifyApiKey(input: $input) { outcome } }';
    const variables = { input: { key: secret, service: 'contacts' } };
    return post(url, '/graphql', JSON.stringify({ query, variables }));
  },
  '/verifications': async (url) => {
    const verifications = [{ key: secret, service: 'contacts' }];
    return post(url, '/verifications', JSON.stringify({ verifications }));
  },
  '/introspect': async (url) =>
    post(url, '/introspect', `token=${secret}`, 'x-www-form-urlencoded'),
  '/verify': async (url) =>
    send(url, {
      ...{ method: 'GET', path: '/verify' },
      headers: { authorization: `Bearer ${secret}` },
    }),
};

const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['service', { service: '' }],
  ['service', { service: 'x'.repeat(101) }],
  ['service', { service: 'contacts\n' }],
  ['requestId', { requestId: '' }],
  ['requestId', { requestId: 'x'.repeat(201) }],
  ['requestId', { requestId: 'a\u0000b' }],
  ['clientIp', { clientIp: 'localhost' }],
  ['clientIp', { clientIp: '203.0.113.7, 10.0.0.1' }],
  ['clientIp', { clientIp: '' }],
  ['clientIp', { clientIp: `fe80::1%${'x'.repeat(100)}` }],
  ['requiredScopes.0', { requiredScopes: [[], ['contacts:read']] }],
  ['requiredScopes.1.0', { requiredScopes: [['contacts:read'], ['contacts:READ']] }],
  ['requiredScopes.0.0', { requiredScopes: [['__proto__']] }],
  ['requiredScopes', { requiredScopes: Array.from({ length: 501 }, () => ['contacts:read']) }],
  ['requiredScopes', { requiredScopes: [Array.from({ length: 501 }, () => 'contacts:read')] }],
];

describe('input that cannot be accepted is named', () => {
  test.each(wrong)('in verifyApiKey: %s', async (field, input) => {
    const asked = { key: secret, ...input };
    const answer = await verifyApiKey(keyward, asked, { key: verifier.secret });
    expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field: `input.${field}` });
  });

  const good = { key: 'nonsense', service: 'contacts' };
  test.each<readonly [string, unknown]>([
    ...wrong.map(([field, input]): readonly [string, unknown] => [
      `verifications.2.${field}`,
      [good, good, { ...good, ...input }],
    ]),
    ['verifications.1.service', [good, { key: 'nonsense' }]],
    ['verifications.0.key', [{ ...good, key: 7 }]],
    ['verifications.0.key', [{ service: 'contacts' }]],
    ['verifications.0.environment', [{ ...good, environment: 'live' }]],
    ['verifications.0.requiredScopes', [{ ...good, requiredScopes: 'contacts:read' }]],
    ['verifications.0.requiredScopes.0', [{ ...good, requiredScopes: ['contacts:read'] }]],
    ['verifications.0', [{ ...good, requiredScope: [['contacts:read']] }]],
    ['verifications.0', ['nonsense']],
    ['verifications', []],
    ['verifications', Array.from({ length: 101 }, () => good)],
    ['verifications', { 0: good }],
    ['verifications', undefined],
  ])('in POST /verifications: %s', async (field, verifications) => {
    const { status, headers, body, text } = await batch(verifications);
    expect(status).toBe(400);
    const requestId = headers.get('x-request-id');
    expect(body.errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', field, requestId });
    expect(text).toContain(field);
    // Nothing was verified, and who asked is recorded.
    expect((await recordsOf(keyward, requestId)).map(({ service }) => service)).toEqual([
      'keyward',
    ]);
  });

  test('and a body that is no JSON is still a recorded request of its key', async () => {
    const { status, headers } = await post(keyward.url, '/verifications', '{"verifications":');
    expect(status).toBe(400);
    expect(await recordsOf(keyward, headers['x-request-id'])).toHaveLength(1);
  });
});

test.each([
  ['nothing', ''],
  ['NUL', '\u0000'],
  ['half a surrogate pair', '\ud800'],
  ['a million characters', 'sk_live_'.repeat(120_000)],
  ['a key with something behind it', () => `${secret}\n`],
  ['two keys', () => `${secret} ${secret}`],
  ['the Authorization header', () => `Bearer ${secret}`],
  ['a token', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0.'],
])('no text is a wrong key, only a worthless one: %s', async (_, text) => {
  const key = typeof text === 'string' ? text : text();
  const { status, body } = await batch([{ key, service: 'contacts' }]);
  expect([status, body.verifications[0]?.outcome]).toEqual([200, 'MALFORMED']);
});

test('what clients chose is kept without control characters, cut, and without keys', async () => {
  const requestId = `for-${secret}`;
  const { status } = await batch([
    {
      ...{ key: secret, service: `for ${secret}`, requestId },
      operation: `Get ${secret}\u0000\ud800`,
      userAgent: `curl\u009b[31m ${'x '.repeat(2000)} ${secret}`,
    },
  ]);
  expect(status).toBe(200);
  const [record] = await recordsOf(keyward, 'for-[redacted]');
  expect(record).toMatchObject({ service: 'for [redacted]', operation: 'Get [redacted]��' });
  expect(record?.userAgent).toMatch(/^curl�\[31m x x [x …]+ \[redacted\]$/);
  expect(record?.userAgent?.length).toBeLessThan(600);
});

describe('while the database is away', () => {
  test.each(Object.keys(doors))('%s answers 503 and says when to ask again', async (door) => {
    const ask = doors[door];
    expect((await ask?.(replica))?.status).toBe(200);
    link.refuse(true);
    link.cut();
    const answer = await ask?.(replica);
    link.refuse(false);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(answer?.text).toContain('"UNAVAILABLE"');
    expect((await ask?.(replica))?.status).toBe(200);
  });

  test.each(Object.keys(doors))('%s tells nothing that it could not record', async (door) => {
    await keyward.database.sql('ALTER TABLE api_key_requests RENAME TO unreachable');
    const answer = await doors[door]?.(keyward.url);
    await keyward.database.sql('ALTER TABLE unreachable RENAME TO api_key_requests');
    expect(answer).toMatchObject({ status: 503 });
    expect(answer?.text).not.toMatch(/VALID|active/);
  });
});

test('no secret is ever logged, however talkative the log', () => {
  expect(log.text()).toContain('a request could not be recorded');
  expect(log.text()).not.toContain(secret);
  expect(log.text()).not.toContain(verifier.secret);
});
