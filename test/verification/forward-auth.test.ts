import { created, revokeApiKey, startProduct } from '../support/api-keys';
import { startIdentityProvider } from '../support/identity-provider';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { send, type RawRequest } from '../support/raw-http';
import { recordsOf, unknownKey } from '../support/verifications';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward({
    ...{ KEYWARD_TRUST_PROXY: '127.0.0.1', KEYWARD_CORS_ORIGINS: 'https://app.example' },
  });
});
afterAll(async () => keyward.stop());

/** Asks as a proxy does: with its own path and the client's headers. */
async function forward(path: string, key: string | null, asked: RawRequest = {}, at = keyward.url) {
  const authorization = key === null ? {} : { authorization: `Bearer ${key}` };
  const headers = { ...authorization, ...asked.headers };
  return send(at, { method: 'GET', ...asked, path, headers });
}

const identity = [
  ...['keyward-key-id', 'keyward-user-id', 'keyward-organization-id'],
  ...['keyward-environment', 'keyward-scopes'],
];

/** The one record that a request left. */
async function recordOf({ headers }: Awaited<ReturnType<typeof forward>>) {
  const records = await recordsOf(keyward, headers['x-request-id']);
  expect(records).toHaveLength(1);
  return records[0];
}

describe('/verify', () => {
  test('answers 200 with who the key is, without a body', async () => {
    const { apiKey, secret } = await created(keyward, {
      ...{ scopes: ['contacts:read', 'agents:read'], environment: 'TEST' },
    });
    const { status, headers, text } = await forward(
      '/verify?scope=contacts:read%20agents:read&environment=TEST&service=crm',
      secret,
    );
    expect([status, text]).toEqual([200, '']);
    expect(identity.map((name) => headers[name])).toEqual([
      ...[apiKey.id, '', apiKey.organization.id, 'TEST', 'contacts:read agents:read'],
    ]);
    expect(headers['cache-control']).toBe('no-store');
  });

  test('refuses with 401 who is nobody, with 403 who may not, and says why', async () => {
    const live = await created(keyward);
    const revoked = await created(keyward);
    await revokeApiKey(keyward, { id: revoked.apiKey.id });
    const refusals = [];
    for (const [path, key] of [
      ['/verify', null],
      ['/verify', unknownKey()],
      ['/verify', revoked.secret],
      ['/verify?scope=contacts:read+agents:read', live.secret],
      ['/verify?scope=contacts:read&scope=agents:read', live.secret],
      ['/verify?environment=TEST&scope=agents:read', live.secret],
    ] as const) {
      const { status, headers, body } = await forward(path, key);
      expect(identity.filter((name) => name in headers)).toEqual([]);
      const reason = body.errors?.[0]?.extensions.reason;
      refusals.push([status, headers['www-authenticate'], reason]);
    }
    expect(refusals).toEqual([
      [401, 'Bearer realm="keyward"', 'UNAUTHENTICATED'],
      [401, 'Bearer error="invalid_token"', 'UNKNOWN'],
      [401, 'Bearer error="invalid_token"', 'REVOKED'],
      [403, 'Bearer error="insufficient_scope"', 'INSUFFICIENT_SCOPE'],
      [403, 'Bearer error="insufficient_scope"', 'INSUFFICIENT_SCOPE'],
      [403, 'Bearer error="insufficient_scope"', 'WRONG_ENVIRONMENT'],
    ]);
  });

  test('records each request of a key under the service it was for, refused ones too', async () => {
    const { apiKey, secret } = await created(keyward);
    const common = { organizationId: apiKey.organization.id, apiKeyId: apiKey.id, service: 'crm' };
    for (const [query, outcome] of [
      ['', 'VALID'],
      ['&scope=agents:read', 'INSUFFICIENT_SCOPE'],
      ['&environment=TEST', 'WRONG_ENVIRONMENT'],
      ['', 'REVOKED'],
    ] as const) {
      if (outcome === 'REVOKED') await revokeApiKey(keyward, { id: apiKey.id });
      const answer = await forward(`/verify?service=crm${query}`, secret, {
        headers: { 'user-agent': 'curl/8', 'x-forwarded-for': '203.0.113.7' },
      });
      expect(await recordOf(answer)).toEqual({
        ...{ ...common, outcome, operation: null, ip: '203.0.113.7', userAgent: 'curl/8' },
      });
    }
  });

  test.each([
    ['Traefik', 'x-forwarded-method', 'x-forwarded-uri'],
    ['NGINX', 'x-original-method', 'x-original-uri'],
  ])(
    'records what the client asked %s for, without its query or a key in it',
    async (_, method, uri) => {
      const { secret } = await created(keyward);
      const original = { [method]: 'DELETE', [uri]: `/contacts/${secret}/x?api_key=${secret}` };
      const trusted = await forward('/verify', secret, {
        headers: { ...original, 'x-forwarded-for': '203.0.113.7' },
      });
      expect((await recordOf(trusted))?.operation).toBe('DELETE /contacts/[redacted]/x');
      // Without an address from a proxy that is trusted, it may be the client who says so.
      const untrusted = await forward('/verify', secret, { headers: original });
      expect((await recordOf(untrusted))?.operation).toBeNull();
    },
  );

  test('takes the client’s method and path behind its own, as Envoy sends them, and nothing from its query', async () => {
    const { secret } = await created(keyward);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const path = `/verify/contacts/${'7'.repeat(300)}?scope=agents:read&scope=nothing&page=2`;
      const answer = await forward(path, secret, { method });
      expect([method, answer.status]).toEqual([method, 200]);
      expect((await recordOf(answer))?.operation).toBe(`${method} /contacts/${'7'.repeat(300)}`);
    }
    expect((await forward('/verify/?page=2', secret)).status).toBe(200);
    expect((await forward('/verify/contacts', null)).status).toBe(401);
    // A slash too many in a proxy's configuration must not lose what it demands.
    expect((await forward('/verify/?scope=agents:read', secret)).status).toBe(403);
  });

  test('demands what its query says, however its URL is written', async () => {
    const { secret } = await created(keyward);
    for (const path of ['http://keyward/verify', '/%76erify', 'http://keyward/verify/']) {
      const answer = await forward(`${path}?scope=agents:read`, secret);
      expect([path, answer.status]).toEqual([path, 403]);
    }
    const answer = await forward('http://keyward/verify/contacts?page=2', secret);
    expect((await recordOf(answer))?.operation).toBe('GET /contacts');
  });

  test('judges HEAD like GET', async () => {
    const { apiKey, secret } = await created(keyward);
    const { status, headers } = await forward('/verify/x', secret, { method: 'HEAD' });
    expect([status, headers['keyward-key-id']]).toEqual([200, apiKey.id]);
    expect((await forward('/verify/x', null, { method: 'HEAD' })).status).toBe(401);
  });

  test('never reads a body, however long or wrong', async () => {
    const { secret } = await created(keyward);
    const types = ['application/json', 'text/html', 'nonsense'];
    for (const type of types) {
      const answer = await forward('/verify/contacts', secret, {
        ...{ method: 'POST', body: Buffer.alloc(2 * 1024 * 1024, '{') },
        headers: { 'content-type': type },
      });
      expect([type, answer.status]).toEqual([type, 200]);
    }
  });

  test('answers no preflight in the place of the service: a proxy would take it for a yes', async () => {
    const preflight = {
      ...{ origin: 'https://app.example', 'access-control-request-method': 'GET' },
    };
    for (const path of ['/verify', '/verify/contacts']) {
      const answer = await forward(path, null, { method: 'OPTIONS', headers: preflight });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });

  test('refuses what its operator cannot have meant, naming it', async () => {
    const { secret } = await created(keyward);
    const seen = [];
    const queries = ['scope=voice', 'scope=', 'scopes=x', 'environment=live', 'service='];
    queries.push('environment=LIVE&environment=TEST', 'service=a&service=b');
    for (const query of queries) {
      const { status, body } = await forward(`/verify?${query}`, secret);
      seen.push([status, body.errors?.[0]?.extensions.field]);
    }
    expect(seen).toEqual([
      [400, 'scope'],
      [400, 'scope'],
      [400, 'query'],
      [400, 'environment'],
      [400, 'service'],
      [400, 'environment'],
      [400, 'service'],
    ]);
  });

  test('refuses a revoked key from the moment the revocation is answered, on every replica', async () => {
    const replica = await keyward.startReplica();
    const { apiKey, secret } = await created(keyward);
    const statuses = async () =>
      Promise.all(
        [keyward.url, replica.graphqlUrl].map(
          async (url) => (await forward('/verify', secret, {}, url)).status,
        ),
      );
    expect(await statuses()).toEqual([200, 200]);
    await revokeApiKey(keyward, { id: apiKey.id });
    expect(await statuses()).toEqual([401, 401]);
  });

  test('says 503, and not who it is, when the request cannot be recorded', async () => {
    const { secret } = await created(keyward, { expiresIn: 'P1D' });
    await keyward.database.sql('ALTER TABLE api_key_usage_hours RENAME TO elsewhere');
    try {
      for (const path of ['/verify', '/verify?scope=agents:read']) {
        const { status, headers, body } = await forward(path, secret);
        expect([status, body.errors?.[0]?.extensions.code]).toEqual([503, 'UNAVAILABLE']);
        const told = Object.keys(headers).filter((name) => /^keyward-|^www-/.test(name));
        expect([told, headers['retry-after']]).toEqual([[], '1']);
      }
    } finally {
      await keyward.database.sql('ALTER TABLE elsewhere RENAME TO api_key_usage_hours');
    }
  });

  test('tells a key that it has a successor or ends soon, as everywhere', async () => {
    const { apiKey, secret } = await created(keyward, { expiresIn: 'P1D' });
    const { headers } = await forward('/verify', secret);
    expect(headers['keyward-key-expires-at']).toBe(apiKey.expiresAt);
  });

  test('lets people in as themselves', async () => {
    const provider = await startIdentityProvider();
    const product = await startProduct({}, provider.settings);
    try {
      const key = await provider.issue({ sub: 'jane', role: 'admin', org_id: 'acme' });
      const { data } = await product.ask<{
        viewer: { user: { id: string }; organization: { id: string } };
      }>('{ viewer { user { id } organization { id } } }', {}, { key });
      const { headers } = await forward('/verify?scope=api_keys:read', key, {}, product.url);
      expect(headers).toMatchObject({
        'keyward-key-id': '', // and not what the client may have sent
        'keyward-user-id': data.viewer.user.id,
        'keyward-organization-id': data.viewer.organization.id,
        'keyward-scopes': expect.stringContaining('api_keys:read') as unknown,
      });
    } finally {
      await product.stop();
      await provider.stop();
    }
  });
});
