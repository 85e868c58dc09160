import { exportJWK, exportSPKI, SignJWT, type JWTPayload } from 'jose';
import type { Answer } from '../support/http';
import {
  audience,
  forge,
  makeKey,
  startIdentityProvider,
  type IdentityProvider,
  type ProviderKey,
} from '../support/identity-provider';
import { startTestKeyward, type TestKeyward } from '../support/keyward';

let provider: IdentityProvider;
let keyward: TestKeyward;
beforeAll(async () => {
  provider = await startIdentityProvider();
  keyward = await startTestKeyward(provider.settings);
});
afterAll(async () => {
  await keyward.stop();
  await provider.stop();
});

const who = '{ viewer { kind user { name email role } organization { name plan } } }';
const jane = {
  sub: 'jane',
  name: 'Jane Roe',
  email: 'jane@acme.example',
  role: 'admin',
  org_id: 'acme',
  org_name: 'Acme Inc.',
  plan: 'paid',
};

async function ask(token: string): Promise<Answer<Record<string, unknown>>> {
  return keyward.ask(who, {}, { key: token });
}

function key(algorithm = 'RS256'): ProviderKey {
  const found = provider.keys.find((each) => each.algorithm === algorithm);
  if (found === undefined) throw new Error(`the provider has no ${algorithm} key`);
  return found;
}

function seconds(fromNow: number): number {
  return Math.floor(Date.now() / 1000) + fromNow;
}

/** Claims as the provider would write them, but for what the test changes. */
function claims(changes: Record<string, unknown> = {}): JWTPayload {
  const times = { iat: seconds(0), exp: seconds(600) };
  return { ...jane, iss: provider.issuer, aud: audience, ...times, ...changes };
}

function expectRefused(answer: Answer<unknown>, reason: string): void {
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  expect(answer.errors[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED', reason });
  expect(answer.errors[0]?.message).toMatch(/^The token /);
}

test.each(['RS256', 'ES256'])("a person is known by the provider's %s token", async (algorithm) => {
  const { data } = await ask(await provider.issue(jane, { algorithm }));
  expect(data.viewer).toEqual({
    kind: 'USER',
    user: { name: 'Jane Roe', email: 'jane@acme.example', role: 'ADMIN' },
    organization: { name: 'Acme Inc.', plan: 'paid' },
  });
});

test('a token that the test signs with the provider’s key is as good: the refusals below are about what they say', async () => {
  expect((await ask(await forge(key(), claims()))).status).toBe(200);
  // It has expired, but not by more than clocks may differ.
  expect((await ask(await forge(key(), claims({ exp: seconds(0) })))).status).toBe(200);
  expect((await ask(await forge(key(), claims({ aud: ['else', audience] })))).status).toBe(200);
});

test.each([1e300, -1e300, 0, undefined])(
  'a token issued at no sensible time is welcome: %s',
  async (iat) => {
    const token = await forge(key(), claims({ iat, sub: `issued at ${String(iat)}` }));
    expect((await ask(token)).status).toBe(200);
  },
);

test('a token with alg none is refused', async () => {
  for (const alg of ['none', 'None', 'nOnE', '']) {
    const parts = [{ alg, typ: 'JWT' }, claims()].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const answer = await ask(`${parts.join('.')}.`);
    expect(answer.status).toBe(401);
    expectRefused(answer, alg === '' ? 'MALFORMED' : 'UNKNOWN');
  }
});

test("a token signed by HMAC with the provider's public key is refused", async () => {
  const { publicKey, kid } = key();
  const spki = await exportSPKI(publicKey);
  const { n = '' } = await exportJWK(publicKey);
  const secrets = [spki, spki.trim(), JSON.stringify(await exportJWK(publicKey)), n];
  for (const secret of secrets.map((text) => Buffer.from(text))) {
    for (const header of [{ kid }, {}]) {
      const token = new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', ...header });
      expectRefused(await ask(await token.sign(secret)), 'UNKNOWN');
    }
  }
});

test.each<[string, Record<string, unknown>, string]>([
  ['of another issuer', { iss: 'https://evil.example' }, 'UNKNOWN'],
  ['of the issuer with a slash more', { iss: 'http://127.0.0.1/' }, 'UNKNOWN'],
  ['without an issuer', { iss: undefined }, 'UNKNOWN'],
  ['for another audience', { aud: 'https://other.example' }, 'UNKNOWN'],
  ['without an audience', { aud: undefined }, 'UNKNOWN'],
  ['that has expired', { exp: seconds(-6) }, 'EXPIRED'],
  ['that never expires', { exp: undefined }, 'UNKNOWN'],
  ['that is not valid yet', { nbf: seconds(86_400) }, 'UNKNOWN'],
  ['that has expired and is of another issuer', { exp: 1, iss: 'https://evil.example' }, 'UNKNOWN'],
  ['that names nobody', { sub: undefined }, 'MALFORMED'],
  ['that names no organization', { org_id: undefined }, 'MALFORMED'],
  ['whose organization is empty', { org_id: '' }, 'MALFORMED'],
  ['whose organization is an object', { org_id: { toString: 'acme' } }, 'MALFORMED'],
  ['whose organization holds a NUL', { org_id: 'acme\u0000' }, 'MALFORMED'],
  ['whose organization is too long', { org_id: 'x'.repeat(256) }, 'MALFORMED'],
])('a token %s is refused', async (_, changes, reason) => {
  expectRefused(await ask(await forge(key(), claims(changes))), reason);
});

test('a token for another audience is refused also when the provider itself issued it', async () => {
  const token = await provider.issue(jane, { resource: 'https://other.example' });
  expectRefused(await ask(token), 'UNKNOWN');
});

test('a token that was changed, or signed by somebody else, is refused', async () => {
  const [header = '', payload = '', signature = ''] = (await provider.issue(jane)).split('.');
  const other = Buffer.from(JSON.stringify(claims({ sub: 'john' }))).toString('base64url');
  expectRefused(await ask(`${header}.${other}.${signature}`), 'UNKNOWN');
  expectRefused(await ask(`${header}.${payload}.`), 'UNKNOWN');
  const imposter = await makeKey('RS256', key().kid);
  expectRefused(await ask(await forge(imposter, claims())), 'UNKNOWN');
});

test('keys that a token brings along are not looked at', async () => {
  const imposter = await makeKey('RS256', 'mine');
  const jwk = await exportJWK(imposter.publicKey);
  const jku = 'https://evil.example/jwks';
  expectRefused(await ask(await forge(imposter, claims(), { jwk })), 'UNKNOWN');
  expectRefused(await ask(await forge(imposter, claims(), { jku, x5u: jku })), 'UNKNOWN');
});

test('an algorithm that is not on the list is refused, the key being right', async () => {
  const { privateKey, kid } = key();
  const token = new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', kid });
  const replica = await keyward.startReplica({ KEYWARD_OIDC_ALGORITHMS: 'ES256' });
  const answer = await fetch(replica.graphqlUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await token.sign(privateKey)}`,
    },
    body: JSON.stringify({ query: who }),
  });
  expect(answer.status).toBe(401);
});

test('other types of token are refused: they are signed with the same key, but grant nothing', async () => {
  for (const typ of ['logout+jwt', 'secevent+jwt', 'application/dpop+jwt']) {
    expectRefused(await ask(await forge(key(), claims(), { typ })), 'UNKNOWN');
  }
  for (const typ of ['JWT', 'application/at+jwt', undefined]) {
    expect((await ask(await forge(key(), claims(), { typ }))).status).toBe(200);
  }
});

test('a critical extension that Keyward does not know is refused', async () => {
  const [, payload = '', signature = ''] = (await forge(key(), claims())).split('.');
  const header = { alg: 'RS256', kid: key().kid, crit: ['exp2'], exp2: 1 };
  const encoded = Buffer.from(JSON.stringify(header)).toString('base64url');
  expectRefused(await ask(`${encoded}.${payload}.${signature}`), 'UNKNOWN');
});

test('what only has the shape of a token is refused', async () => {
  const long = `${'x'.repeat(2000)}.${'y'.repeat(2000)}.z`;
  for (const token of ['a.b.c', 'a..', long, 'e30.e30.e30', 'bnVsbA.e30.x']) {
    expectRefused(await ask(token), 'MALFORMED');
  }
});

test('a token leaves no usage record, and nothing of it is in an error', async () => {
  const token = await forge(key(), claims({ aud: 'else', secret: 'do not tell' }));
  const answer = await ask(token);
  expectRefused(answer, 'UNKNOWN');
  expect(answer.text).not.toContain('do not tell');
  await ask(await provider.issue(jane));
  const records = await keyward.database.sql('SELECT FROM api_key_requests');
  expect(records).toEqual([]);
});

test('where people are off, a token is judged as the key it is not', async () => {
  const other = await startTestKeyward();
  const answer = await other.ask(who, {}, { key: await provider.issue(jane) });
  expect(answer.status).toBe(401);
  expect(answer.errors[0]?.extensions.reason).toBe('MALFORMED');
  expect(answer.errors[0]?.message).toMatch(/^The API key /);
  await other.stop();
});

test('a key is still a key', async () => {
  const { data } = await keyward.ask(who);
  expect(data.viewer).toMatchObject({ kind: 'API_KEY', user: null });
});
