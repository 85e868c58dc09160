import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { exportJWK, type JWK } from 'jose';
import {
  forge,
  makeKey,
  startIdentityProvider,
  audience,
  type IdentityProvider,
  type ProviderKey,
} from '../support/identity-provider';
import { graphql } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { readableLog } from '../support/log';

const log = readableLog('warn');
let provider: IdentityProvider;
let keyward: TestKeyward;
beforeEach(async () => {
  provider = await startIdentityProvider();
  keyward = await startTestKeyward(provider.settings, log.logger);
});
afterEach(async () => {
  await keyward.stop();
  await provider.stop();
});

const jane = { sub: 'jane', org_id: 'acme' };

async function statusOf(token: string): Promise<number> {
  return (await keyward.ask('{ viewer { kind } }', {}, { key: token })).status;
}

test("the provider's new key is believed at once, without a restart", async () => {
  expect(await statusOf(await provider.issue(jane))).toBe(200);
  for (let turn = 0; turn < 3; turn += 1) {
    await provider.rotate();
    expect(await statusOf(await provider.issue(jane))).toBe(200);
  }
});

test('a withdrawn key is no longer believed once the keys were fetched anew', async () => {
  const old = await provider.issue(jane);
  expect(await statusOf(old)).toBe(200);
  await provider.rotate();
  await statusOf(await provider.issue(jane));
  expect(await statusOf(old)).toBe(401);
});

test('tokens with invented key ids make at most one fetch a second, and hold up nobody else', async () => {
  const good = await provider.issue(jane);
  expect(await statusOf(good)).toBe(200);
  const before = await provider.keyRequests();
  const begunAtMs = performance.now();
  const imposter = await makeKey('RS256', 'invented');
  const exp = Math.floor(Date.now() / 1000) + 600;
  const claims = { ...jane, iss: provider.issuer, aud: audience, exp };
  const flood = Promise.all(
    Array.from({ length: 60 }, async (_, turn) => {
      await pause((turn % 6) * 100);
      return statusOf(await forge(imposter, claims, { kid: `invented-${turn}` }));
    }),
  );
  expect(await statusOf(good)).toBe(200);
  expect(new Set(await flood)).toEqual(new Set([401]));
  const elapsedSeconds = (performance.now() - begunAtMs) / 1000;
  const fetches = (await provider.keyRequests()) - before;
  expect(fetches).toBeGreaterThanOrEqual(1);
  expect(fetches).toBeLessThanOrEqual(Math.floor(elapsedSeconds) + 1);
});

test('without the provider people are told to come back, while keys go on working', async () => {
  const token = await provider.issue(jane);
  await provider.stop();
  const answer = await keyward.ask('{ viewer { kind } }', {}, { key: token });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(answer.errors[0]?.extensions.code).toBe('UNAVAILABLE');
  expect(answer.errors[0]?.message).toContain('identity provider');
  expect(answer.text).not.toMatch(/ECONN|127\.0\.0\.1|fetch/);
  expect(await statusOf(keyward.adminKey)).toBe(200);
  await provider.restart();
  expect(await statusOf(token)).toBe(200);
});

test('once its keys are known, people need the provider only for new ones', async () => {
  const token = await provider.issue(jane);
  expect(await statusOf(token)).toBe(200);
  await provider.stop();
  expect(await statusOf(token)).toBe(200);
});

test('a discovery document of another issuer is not believed', async () => {
  const token = await provider.issue(jane);
  const replica = await keyward.startReplica({
    KEYWARD_OIDC_ISSUER: provider.issuer.replace('127.0.0.1', 'localhost'),
  });
  const { status } = await graphql(
    replica.graphqlUrl,
    { query: '{ viewer { kind } }' },
    { key: token },
  );
  expect(status).toBe(503);
});

test('with the URL of its keys set, nothing is discovered', async () => {
  const replica = await keyward.startReplica({
    KEYWARD_OIDC_JWKS_URL: `${provider.issuer}/jwks`,
  });
  const key = await provider.issue(jane);
  const { status } = await graphql(replica.graphqlUrl, { query: '{ viewer { kind } }' }, { key });
  expect(status).toBe(200);
});

/** What a provider publishes of itself; a test may change it. */
interface Published {
  keysAt: string;
  keys: JWK[];
}

/** A provider that is no more than what it publishes, and a Keyward that asks it. */
async function withBareProvider(
  published: Published,
  use: (statusOf: (key: ProviderKey) => Promise<number>) => Promise<void>,
): Promise<void> {
  const server = createServer((request, response) => {
    const issuer = `http://${request.headers.host ?? ''}`;
    const isDiscovery = request.url?.startsWith('/.well-known/') === true;
    response.statusCode = isDiscovery || request.url === '/keys' ? 200 : 404;
    const { keysAt, keys } = published;
    response.end(JSON.stringify(isDiscovery ? { issuer, jwks_uri: issuer + keysAt } : { keys }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  const iss = `http://127.0.0.1:${port}`;
  const { graphqlUrl } = await keyward.startReplica({ KEYWARD_OIDC_ISSUER: iss });
  const exp = Math.floor(Date.now() / 1000) + 600;
  try {
    await use(async (signer) => {
      const key = await forge(signer, { ...jane, iss, aud: audience, exp });
      return (await graphql(graphqlUrl, { query: '{ viewer { kind } }' }, { key })).status;
    });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function publicHalf({ kid, publicKey }: ProviderKey): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid };
}

test('a provider that has moved its keys is found again, without a restart', async () => {
  const key = await makeKey('ES256', 'moved');
  const published = { keysAt: '/before', keys: [await publicHalf(key)] };
  await withBareProvider(published, async (status) => {
    expect(await status(key)).toBe(503);
    published.keysAt = '/keys';
    expect(await status(key)).toBe(200);
  });
});

const [good, bad] = [makeKey('ES256', 'good'), makeKey('RS256', 'bad')];
test.each<[string, () => Promise<JWK>]>([
  ['lacks a member', async () => ({ kid: (await bad).kid, kty: 'RSA', e: 'AQAB' })],
  ['is too short', async () => ({ ...(await publicHalf(await bad)), n: 'AQAB'.repeat(43) })],
  ['is the private half', async () => (await bad).jwk],
])(
  "a provider's key that %s is told of in the log, and holds up no other",
  async (_what, broken) => {
    const published = { keysAt: '/keys', keys: [await broken(), await publicHalf(await good)] };
    await withBareProvider(published, async (status) => {
      expect(await status(await good)).toBe(200);
      const before = log.text().length;
      expect(await status(await bad)).toBe(503);
      expect(log.text().slice(before)).toContain('publishes a key that cannot be used');
      published.keys[0] = await publicHalf(await bad);
      expect(await status(await bad)).toBe(200);
    });
  },
);
