import { created, readApiKey, revokeApiKey } from '../support/api-keys';
import { createOrganization } from '../support/organizations';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { rotate } from '../support/successions';
import { postVerifications, recordsOf, unknownKey } from '../support/verifications';

let keyward: TestKeyward;
let verifier: { id: string; secret: string };
beforeAll(async () => {
  keyward = await startTestKeyward();
  verifier = await keyward.createKey({ scopes: ['api_keys:verify'] });
});
afterAll(async () => keyward.stop());

const verify = async (verifications: unknown, key: string | null = verifier.secret) =>
  postVerifications(keyward, verifications, { key });

const nothing = { valid: false, apiKey: null, organization: null };
const unmet = { scopes: [], missingScopes: [], superseded: false };

describe('POST /verifications', () => {
  test('answers each in its place: outcome, key, organization, scopes, what is missing, whether superseded', async () => {
    const alive = await created(keyward, { scopes: ['contacts:read'], expiresIn: 'P1D' });
    const full = await created(keyward, { scopes: ['admin:full'] });
    const test = await created(keyward, { environment: 'TEST', scopes: ['contacts:read'] });
    const expired = await created(keyward, { expiresIn: 'P1D' });
    await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [
      expired.apiKey.id,
    ]);
    const revoked = await created(keyward);
    await revokeApiKey(keyward, { id: revoked.apiKey.id });
    const old = await created(keyward);
    await rotate(keyward.ask, { id: old.apiKey.id });
    const service = 'contacts';
    const requiredScopes = [['contacts:read', 'contacts:write'], ['agents:read']];
    const { status, body } = await verify([
      { key: alive.secret, service, requiredScopes: [['contacts:read']] },
      { key: alive.secret, service, requiredScopes },
      { key: full.secret, service, requiredScopes, environment: 'LIVE' },
      { key: test.secret, service, requiredScopes, environment: 'LIVE' },
      { key: expired.secret, service, requiredScopes, environment: 'TEST' },
      { key: revoked.secret, service, requiredScopes },
      { key: unknownKey(), service, requiredScopes },
      { key: 'nonsense', service, requiredScopes },
      { key: old.secret, service, requiredScopes: [] },
    ]);
    expect(status).toBe(200);
    const organization = { id: alive.apiKey.organization.id };
    const shown = ({ apiKey }: typeof alive) => {
      const { id, name, environment, expiresAt } = apiKey;
      return { organization, superseded: false, apiKey: { id, name, environment, expiresAt } };
    };
    const missingScopes = [['contacts:write'], ['agents:read']];
    const dead = { ...unmet, organization };
    expect(body.verifications).toEqual([
      {
        ...{ ...shown(alive), valid: true, outcome: 'VALID' },
        ...{ scopes: ['contacts:read'], missingScopes: [] },
      },
      {
        ...{ ...shown(alive), valid: false, outcome: 'INSUFFICIENT_SCOPE' },
        ...{ scopes: ['contacts:read'], missingScopes },
      },
      {
        ...{ ...shown(full), valid: true, outcome: 'VALID', missingScopes: [] },
        scopes: expect.arrayContaining(['admin:full', 'agents:read', 'api_keys:write']) as unknown,
      },
      {
        ...{ ...shown(test), valid: false, outcome: 'WRONG_ENVIRONMENT' },
        ...{ scopes: ['contacts:read'], missingScopes },
      },
      {
        ...{ ...shown(expired), ...dead, valid: false, outcome: 'EXPIRED' },
        apiKey: { ...shown(expired).apiKey, expiresAt: expect.any(String) as unknown },
      },
      { ...shown(revoked), ...dead, valid: false, outcome: 'REVOKED' },
      { ...nothing, ...unmet, outcome: 'UNKNOWN' },
      { ...nothing, ...unmet, outcome: 'MALFORMED' },
      {
        ...{ ...shown(old), valid: true, outcome: 'VALID', superseded: true },
        ...{ scopes: ['contacts:read'], missingScopes: [] },
      },
    ]);
  });

  test('leaves one record for each with everything that was told, and one of its own, before the answer', async () => {
    const { apiKey, secret } = await created(keyward);
    const { headers } = await verify([
      {
        ...{ key: secret, service: 'agents', operation: 'ListAgents', requestId: 'outer-42' },
        ...{ clientIp: '203.0.113.7', userAgent: 'curl/8' },
      },
      { key: secret, service: 'contacts', requiredScopes: [['agents:read']] },
      { key: 'nonsense', service: 'voice' },
    ]);
    const own = headers.get('x-request-id');
    const organizationId = apiKey.organization.id;
    const plain = { organizationId, operation: null, ip: null, userAgent: null };
    expect(await recordsOf(keyward, own)).toEqual([
      {
        ...{ ...plain, apiKeyId: apiKey.id },
        ...{ service: 'contacts', outcome: 'INSUFFICIENT_SCOPE' },
      },
      {
        ...{ organizationId, apiKeyId: verifier.id, service: 'keyward', outcome: 'VALID' },
        ...{ operation: 'verifications', ip: '127.0.0.1', userAgent: 'node' },
      },
      { ...plain, apiKeyId: null, service: 'voice', outcome: 'MALFORMED' },
    ]);
    expect(await recordsOf(keyward, 'outer-42')).toEqual([
      {
        ...{ organizationId, apiKeyId: apiKey.id, service: 'agents', outcome: 'VALID' },
        ...{ operation: 'ListAgents', ip: '203.0.113.7', userAgent: 'curl/8' },
      },
    ]);
  });

  test('counts as a use of the verified key only when that was let in', async () => {
    const service = 'contacts';
    const used = await created(keyward);
    const refused = await created(keyward);
    await verify([
      { key: used.secret, service },
      { key: refused.secret, service, environment: 'TEST' },
    ]);
    expect((await readApiKey(keyward, used.apiKey.id))?.lastUsedAt).toEqual(expect.any(String));
    expect((await readApiKey(keyward, refused.apiKey.id))?.lastUsedAt).toBeNull();
  });

  test('takes a hundred at once, each with its own verdict and record', async () => {
    const keys = await Promise.all(
      Array.from({ length: 5 }, async () => created(keyward, { scopes: ['contacts:read'] })),
    );
    const asked = Array.from({ length: 100 }, (_, index) => ({
      key: keys[index % 5]?.secret,
      service: `service-${String(index)}`,
      requiredScopes: index % 2 === 0 ? null : [['agents:read']],
    }));
    const { body, headers } = await verify(asked);
    expect(body.verifications.map(({ apiKey, outcome }) => [apiKey?.id, outcome])).toEqual(
      asked.map((_, index) => [
        keys[index % 5]?.apiKey.id,
        index % 2 === 0 ? 'VALID' : 'INSUFFICIENT_SCOPE',
      ]),
    );
    const records = await recordsOf(keyward, headers.get('x-request-id'));
    expect(new Set(records.map(({ service }) => service))).toEqual(
      new Set(['keyward', ...asked.map(({ service }) => service)]),
    );
    expect(records).toHaveLength(101);
  });

  test('refuses a revoked key from the moment the revocation is answered, whichever replica is asked', async () => {
    const replica = await keyward.startReplica();
    const { apiKey, secret } = await created(keyward);
    const servers = [keyward, { url: replica.graphqlUrl }];
    const outcomes = async () =>
      Promise.all(
        servers.map(async (server) => {
          const asked = [{ key: secret, service: 'contacts' }];
          const { body } = await postVerifications(server, asked, { key: verifier.secret });
          return body.verifications[0]?.outcome;
        }),
      );
    expect(await outcomes()).toEqual(['VALID', 'VALID']);
    await revokeApiKey(keyward, { id: apiKey.id });
    expect(await outcomes()).toEqual(['REVOKED', 'REVOKED']);
  });

  test('needs api_keys:verify: 401 without credentials or with bad ones, 403 without the scope', async () => {
    const { secret } = await created(keyward, { scopes: ['api_keys:read'] });
    const asked = [{ key: secret, service: 'contacts' }];
    const refusals = [];
    for (const key of [null, 'nonsense', secret]) {
      const { status, headers, body } = await verify(asked, key);
      refusals.push([status, headers.get('www-authenticate'), body.errors?.[0]?.extensions.code]);
    }
    expect(refusals).toEqual([
      [401, 'Bearer realm="keyward"', 'UNAUTHORIZED_FIELD_OR_TYPE'],
      [401, 'Bearer error="invalid_token"', 'UNAUTHENTICATED'],
      [403, 'Bearer error="insufficient_scope"', 'UNAUTHORIZED_FIELD_OR_TYPE'],
    ]);
  });

  test('answers about another organization’s key exactly as about one that does not exist', async () => {
    const elsewhere = await createOrganization(keyward, 'Elsewhere');
    const foreign = await elsewhere.createKey();
    const unknown = unknownKey();
    const answers = [];
    for (const key of [foreign.secret, unknown]) {
      const { body, headers } = await verify([{ key, service: 'a-service' }]);
      const [record] = await recordsOf(keyward, headers.get('x-request-id'));
      answers.push([body, record]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject([
      { verifications: [{ ...nothing, ...unmet, outcome: 'UNKNOWN' }] },
      { apiKeyId: null, outcome: 'UNKNOWN' },
    ]);
    const told = await keyward.database.sql(
      'SELECT FROM api_key_requests WHERE organization_id = $1',
      [elsewhere.id],
    );
    expect(told).toEqual([]);
  });
});
