import { startIdentityProvider, type IdentityProvider } from '../support/identity-provider';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { send, type RawAnswer } from '../support/raw-http';
import { rotate } from '../support/successions';

const page = 'https://app.example.com';

let provider: IdentityProvider;
let keyward: TestKeyward;
/** Expires within 30 days and has a successor. */
let key: { readonly id: string; readonly secret: string };
let expected: Readonly<Record<string, string>>;
beforeAll(async () => {
  provider = await startIdentityProvider();
  keyward = await startTestKeyward({ ...provider.settings, KEYWARD_CORS_ORIGINS: page });
  key = await keyward.createKey({ scopes: ['api_keys:read'], expiresIn: 'P20D' });
  const { apiKey } = await rotate(keyward.ask, { id: key.id, keepPredecessor: true });
  const [row] = await keyward.database.sql<{ at: Date }>(
    'SELECT expires_at AS at FROM api_keys WHERE id = $1',
    [key.id],
  );
  expected = {
    'keyward-key-expires-at': row?.at.toISOString() ?? '',
    'keyward-key-superseded': apiKey.id,
  };
});
afterAll(async () => {
  await keyward.stop();
  await provider.stop();
});

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function sendWith(credentials: string, { headers, ...sent }: Sent): Promise<RawAnswer> {
  const authorization = `Bearer ${credentials}`;
  return send(keyward.url, {
    ...sent,
    headers: { 'content-type': 'application/json', ...headers, authorization },
  });
}

function noticesIn({ headers }: RawAnswer): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('keyward-')),
  );
}

const json = (query: string): string => JSON.stringify({ query });

test.each<[string, number, Sent]>([
  ['an answer of GraphQL', 200, { body: json('{ viewer { kind } }') }],
  ['a refusal for a missing scope', 403, { body: json('{ auditEvents { totalCount } }') }],
  ['a document that is none', 200, { body: json('{') }],
  ['a body that is none', 400, { body: '{' }],
  ['a GET', 200, { method: 'GET', path: '/graphql?query={viewer{kind}}' }],
  ['the registry as CSV', 200, { method: 'GET', path: '/registry.csv' }],
  ['the registry as JSON', 200, { method: 'GET', path: '/registry.json' }],
])('a key that ends soon and has a successor is told both with %s', async (_with, status, sent) => {
  const answer = await sendWith(key.secret, sent);
  expect(answer.status).toBe(status);
  expect(noticesIn(answer)).toEqual(expected);
});

test('a key whose grace ends before it expires, or that never would, is told of the end of its grace', async () => {
  for (const expiry of [{}, { expiresIn: 'P60D' }, { expiresIn: 'P20D' }]) {
    const { id, secret } = await keyward.createKey(expiry);
    const { predecessor } = await rotate(keyward.ask, { id, gracePeriod: 'P2D' });
    const answer = await sendWith(secret, { body: json('{ viewer { kind } }') });
    expect(answer.headers['keyward-key-expires-at']).toBe(predecessor.rotation.retiresAt);
  }
});

test('a key that is kept, or whose grace ends later, is told only that it has a successor', async () => {
  for (const end of [{ keepPredecessor: true }, { gracePeriod: 'P60D' }]) {
    const { id, secret } = await keyward.createKey();
    const { apiKey } = await rotate(keyward.ask, { id, ...end });
    const answer = await sendWith(secret, { body: json('{ viewer { kind } }') });
    expect(noticesIn(answer)).toEqual({ 'keyward-key-superseded': apiKey.id });
  }
});

test('pages of other origins may read both', async () => {
  const answer = await sendWith(key.secret, {
    body: json('{ viewer { kind } }'),
    headers: { origin: page },
  });
  const exposed = String(answer.headers['access-control-expose-headers']).split(/, */);
  expect(exposed).toEqual(expect.arrayContaining(Object.keys(expected)));
});

test('people, keys with nothing to tell, and keys that are refused are told nothing', async () => {
  const person = await provider.issue({ sub: 'jane', org_id: 'acme', role: 'admin' });
  const ended = await keyward.createKey({ expiresIn: 'P20D' });
  await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [ended.id]);
  for (const [status, credentials] of [
    [200, person],
    [200, keyward.adminKey],
    [401, ended.secret],
    [401, `${key.secret}x`],
  ] as const) {
    const answer = await sendWith(credentials, { body: json('{ viewer { kind } }') });
    expect(answer.status).toBe(status);
    expect(noticesIn(answer)).toEqual({});
  }
});
