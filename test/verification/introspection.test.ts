import { created, revokeApiKey } from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';
import { send } from '../support/raw-http';
import { rotate } from '../support/successions';
import { recordsOf, unknownKey } from '../support/verifications';

let keyward: TestKeyward;
let verifier: { id: string; secret: string };
beforeAll(async () => {
  keyward = await startTestKeyward();
  verifier = await keyward.createKey({ name: 'Resource server', scopes: ['api_keys:verify'] });
});
afterAll(async () => keyward.stop());

const form = 'application/x-www-form-urlencoded';

/** Sends a form to the introspection endpoint, as the verifier unless told. */
async function introspect(body: string, key: string | null = verifier.secret, type = form) {
  return send(keyward.url, {
    path: '/introspect',
    body,
    headers: {
      'content-type': type,
      ...(key !== null && { authorization: `Bearer ${key}` }),
    },
  });
}

describe('POST /introspect', () => {
  test('answers about a live key with the members of RFC 7662, its organization and environment', async () => {
    const { apiKey, secret } = await created(keyward, {
      ...{ scopes: ['contacts:read', 'agents:read'], environment: 'TEST', expiresIn: 'P1D' },
    });
    const { status, headers, text } = await introspect(`token=${secret}&token_type_hint=whatever`);
    const seconds = (instant: string | null) => Math.floor(Date.parse(instant ?? '') / 1000);
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([
      ...[200, 'application/json; charset=utf-8', 'no-store'],
    ]);
    expect(JSON.parse(text)).toEqual({
      ...{ active: true, token_type: 'Bearer', client_id: apiKey.id, sub: apiKey.id },
      ...{ scope: 'contacts:read agents:read', environment: 'TEST' },
      ...{ iat: seconds(apiKey.createdAt), exp: seconds(apiKey.expiresAt) },
      organization_id: apiKey.organization.id,
    });
  });

  test('leaves out exp where there is no end, and expands full access', async () => {
    const { secret } = await created(keyward, { scopes: ['admin:full'] });
    const answer = JSON.parse((await introspect(`token=${secret}`)).text) as Record<string, string>;
    expect(answer).not.toHaveProperty('exp');
    expect(answer.scope?.split(' ')).toEqual(expect.arrayContaining(['admin:full', 'agents:read']));
  });

  test('lets nobody keep an answer beyond the end of a grace', async () => {
    const { apiKey, secret } = await created(keyward, { expiresIn: 'P30D' });
    const { predecessor } = await rotate(keyward.ask, { id: apiKey.id, gracePeriod: 'P1D' });
    const { exp } = JSON.parse((await introspect(`token=${secret}`)).text) as { exp: number };
    expect(exp).toBe(Math.floor(Date.parse(String(predecessor.rotation.retiresAt)) / 1000));
  });

  test('answers alike, and nothing but that, about whatever is not alive', async () => {
    const expired = await created(keyward, { expiresIn: 'P1D' });
    await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [
      expired.apiKey.id,
    ]);
    const revoked = await created(keyward);
    await revokeApiKey(keyward, { id: revoked.apiKey.id });
    const foreign = await (await createOrganization(keyward, 'Elsewhere')).createKey();
    const seen = [];
    for (const token of [
      ...[expired.secret, revoked.secret, foreign.secret, unknownKey()],
      ...['nonsense', '', '%00', 'x'.repeat(10_000)],
    ]) {
      const { status, headers, text } = await introspect(`token=${token}`);
      const { 'x-request-id': id, date, ...others } = headers;
      seen.push({ status, headers: others, text });
      expect([typeof id, typeof date]).toEqual(['string', 'string']);
    }
    expect(seen[0]).toMatchObject({ status: 200, text: '{"active":false}' });
    for (const each of seen) expect(each).toEqual(seen[0]);
  });

  test('leaves a record under the name of the key that asks', async () => {
    const { apiKey, secret } = await created(keyward);
    const { headers } = await introspect(`token=${secret}`);
    const records = await recordsOf(keyward, headers['x-request-id']);
    expect(records.map((each) => [each.service, each.operation, each.apiKeyId])).toEqual(
      expect.arrayContaining([
        ['Resource server', null, apiKey.id],
        ['keyward', 'introspect', verifier.id],
      ]),
    );
    expect(records).toHaveLength(2);
  });

  test('says what is wrong with a form without a token or with two, in the words of RFC 6749', async () => {
    const { secret } = await created(keyward);
    for (const body of ['', 'tokens=x', `token=${secret}&token=${secret}`]) {
      const { status, text } = await introspect(body);
      expect(status).toBe(400);
      expect(JSON.parse(text)).toEqual({
        error: 'invalid_request',
        error_description: 'Send exactly one parameter "token".',
      });
    }
  });

  test('reads forms only, and no long ones', async () => {
    const { secret } = await created(keyward);
    expect(
      (await introspect(`{"token":"${secret}"}`, verifier.secret, 'application/json')).status,
    ).toBe(415);
    const tooLong = await introspect(`token=${'x'.repeat(20_000)}`);
    expect([tooLong.status, tooLong.text]).toEqual([413, expect.stringContaining('16384 bytes')]);
    const onlyHere = await send(keyward.url, {
      body: 'query={viewer{kind}}',
      headers: { 'content-type': form },
    });
    expect(onlyHere.status).toBe(415);
  });

  test('needs api_keys:verify, and says nothing about tokens to others', async () => {
    const weak = await created(keyward, { scopes: ['api_keys:read'] });
    const answers = [];
    for (const key of [null, unknownKey(), weak.secret]) {
      const { status, headers, text } = await introspect(`token=${weak.secret}`, key);
      answers.push([status, headers['www-authenticate']]);
      expect(text).not.toContain(weak.apiKey.id);
    }
    expect(answers).toEqual([
      [401, 'Bearer realm="keyward"'],
      [401, 'Bearer error="invalid_token"'],
      [403, 'Bearer error="insufficient_scope"'],
    ]);
  });
});
