import { created, revokeApiKey } from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import {
  nginxProgram,
  startNginx,
  startUpstream,
  type Nginx,
  type Upstream,
} from '../support/nginx';
import { startProxy, type Proxy } from '../support/proxy';
import { send, type RawRequest } from '../support/raw-http';
import { recordsOf } from '../support/verifications';

if (nginxProgram === undefined) {
  console.warn('Skipped: there is no nginx here (apt-get install nginx-light).');
}
const describeNginx = nginxProgram === undefined ? describe.skip : describe;

describeNginx('NGINX with examples/nginx/keyward.conf', () => {
  let keyward: TestKeyward;
  let upstream: Upstream;
  let nginx: Nginx;
  /** Between NGINX and Keyward, and between Keyward and its database. */
  let link: Proxy, databaseLink: Proxy;
  beforeAll(async () => {
    const settings = { KEYWARD_TRUST_PROXY: '127.0.0.1' };
    keyward = await startTestKeyward(settings);
    databaseLink = await startProxy(keyward.database.url);
    const { graphqlUrl } = await keyward.startReplica({
      ...{ ...settings, DATABASE_URL: databaseLink.url },
    });
    link = await startProxy(graphqlUrl.replace('localhost', '127.0.0.1'));
    upstream = await startUpstream();
    nginx = await startNginx('examples/nginx/keyward.conf', 'listen 8080;', {
      '127.0.0.1:4000': new URL(link.url).host,
      '127.0.0.1:5000': upstream.address,
    });
  });
  afterAll(async () => {
    await nginx.stop();
    upstream.stop();
    await keyward.stop();
    for (const each of [link, databaseLink]) each.close();
  });
  beforeEach(() => void upstream.reached.splice(0));

  const ask = async (key: string | null, asked: RawRequest = {}) =>
    send(nginx.url, {
      ...{ method: 'GET', path: '/contacts?page=2', ...asked },
      headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...asked.headers },
    });

  test('lets a key with the scope through, and tells the service whose it is, but not the secret', async () => {
    const { apiKey, secret } = await created(keyward);
    const body = 'x'.repeat(200_000);
    const answer = await ask(secret, { method: 'POST', body, headers: { 'user-agent': 'curl/8' } });
    expect([answer.status, answer.text]).toEqual([200, 'the service']);
    expect(upstream.reached).toEqual([
      expect.objectContaining({
        'keyward-key-id': apiKey.id,
        'keyward-organization-id': apiKey.organization.id,
        'keyward-environment': 'LIVE',
        'keyward-scopes': 'contacts:read',
      }),
    ]);
    expect(JSON.stringify(upstream.reached)).not.toContain(secret);
  });

  test('lets nobody say themselves who they are', async () => {
    const { apiKey, secret } = await created(keyward);
    const forged = {
      ...{ 'Keyward-Key-Id': 'forged', 'KEYWARD-USER-ID': 'forged', 'keyward-scopes': 'forged' },
      ...{ keyward_key_id: 'forged', 'keyward-organization-id': ['forged', 'forged'] },
    };
    expect((await ask(secret, { headers: forged })).status).toBe(200);
    expect(upstream.reached[0]).toMatchObject({ 'keyward-key-id': apiKey.id });
    expect(JSON.stringify(upstream.reached)).not.toContain('forged');
    expect((await ask(null, { headers: forged })).status).toBe(401);
    expect(upstream.reached).toHaveLength(1);
  });

  test('answers 401 with a challenge to nobody and to bad keys, 403 without the scope', async () => {
    const { secret: weak } = await created(keyward, { scopes: ['agents:read'] });
    const seen = [];
    for (const key of [null, 'nonsense', weak]) {
      const { status, headers } = await ask(key);
      seen.push([status, headers['www-authenticate']]);
    }
    expect(seen).toEqual([
      [401, 'Bearer realm="keyward"'],
      [401, 'Bearer error="invalid_token"'],
      [403, undefined],
    ]);
    expect(upstream.reached).toEqual([]);
  });

  test('stops a key at once when it is revoked', async () => {
    const { apiKey, secret } = await created(keyward);
    expect((await ask(secret)).status).toBe(200);
    await revokeApiKey(keyward, { id: apiKey.id });
    expect((await ask(secret)).status).toBe(401);
    expect(upstream.reached).toHaveLength(1);
  });

  test('leaves a record of what the client asked for, with its address and service', async () => {
    const { apiKey, secret } = await created(keyward);
    const requestId = 'a-request-through-nginx';
    const lies = { 'x-forwarded-uri': '/lie', 'x-forwarded-for': '203.0.113.7' };
    await ask(secret, {
      ...{ method: 'DELETE', path: '/contacts/7?token=secret' },
      headers: { 'x-request-id': requestId, 'user-agent': 'curl/8', ...lies },
    });
    expect(await recordsOf(keyward, requestId)).toEqual([
      {
        ...{ organizationId: apiKey.organization.id, apiKeyId: apiKey.id, outcome: 'VALID' },
        ...{ service: 'contacts', operation: 'DELETE /contacts/7' },
        ...{ ip: '127.0.0.1', userAgent: 'curl/8' },
      },
    ]);
  });

  test('lets nobody through while Keyward cannot know: its database is away, or Keyward itself', async () => {
    const { secret } = await created(keyward);
    databaseLink.refuse(true);
    databaseLink.cut();
    expect((await ask(secret)).status).toBe(500);
    databaseLink.refuse(false);
    expect((await ask(secret)).status).toBe(200);
    link.refuse(true);
    link.cut();
    expect((await ask(secret)).status).toBe(500);
    link.refuse(false);
    expect((await ask(secret)).status).toBe(200);
    expect(upstream.reached).toHaveLength(2);
  });
});
