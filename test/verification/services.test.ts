import { createOrganization, type TestOrganization, withRooms } from '../support/organizations';
import { refusal, startProduct } from '../support/api-keys';
import { startIdentityProvider, type IdentityProvider } from '../support/identity-provider';
import type { TestKeyward } from '../support/keyward';
import { postVerifications, recordsOf, verifyApiKey } from '../support/verifications';

let provider: IdentityProvider;
let keyward: TestKeyward;
let platform: TestOrganization, customer: TestOrganization;
/** Keys of the service, and of a customer. */
let service: { id: string; secret: string }, presented: { id: string; secret: string };
beforeAll(async () => {
  provider = await startIdentityProvider();
  keyward = await startProduct({ services: ['platform', 'voice'] }, provider.settings);
  platform = await createOrganization(keyward, 'Platform');
  customer = await createOrganization(keyward, 'Customer');
  service = await platform.createKey({ name: 'Gateway', scopes: ['api_keys:verify'] });
  presented = await customer.createKey({ name: 'Presented', scopes: ['contacts:read'] });
});
afterAll(async () => {
  await keyward.stop();
  await provider.stop();
});

const outcomeFor = async (key: string, of = presented.secret) =>
  (await verifyApiKey(keyward, { key: of }, { key })).data.verifyApiKey?.outcome;

interface AdmissionEvent {
  readonly organization_id: string;
  readonly actor_name: string;
  readonly target_name: string;
  readonly changes: unknown;
}

async function admissionsOf(verifierId: string): Promise<readonly AdmissionEvent[]> {
  return keyward.database.sql<AdmissionEvent>(
    `SELECT organization_id, actor_name, target_name, changes FROM audit_events
     WHERE action = 'organization.verifier_admitted' AND actor_id = $1`,
    [verifierId],
  );
}

describe('a key of an organization under "services"', () => {
  test('verifies keys of every organization, and its record is theirs', async () => {
    const { data, headers } = await verifyApiKey(
      keyward,
      { key: presented.secret, service: 'gateway' },
      { key: service.secret },
    );
    expect(data.verifyApiKey).toEqual({
      ...{ valid: true, outcome: 'VALID', scopes: ['contacts:read'] },
      ...{ missingScopes: [], superseded: false },
    });
    const [record, own] = await recordsOf(keyward, headers.get('x-request-id'));
    expect(record).toMatchObject({ organizationId: customer.id, apiKeyId: presented.id });
    expect(own).toMatchObject({ organizationId: platform.id, apiKeyId: service.id });
  });

  test('does so for many organizations at once', async () => {
    const others = await Promise.all(
      ['One', 'Two', 'Three'].map(async (name) => createOrganization(keyward, name)),
    );
    const keys = await Promise.all(others.map(async (other) => other.createKey()));
    const { body } = await postVerifications(
      keyward,
      [...keys, presented, ...keys].map(({ secret }) => ({ key: secret, service: 'gateway' })),
      { key: service.secret },
    );
    expect(body.verifications.map(({ organization }) => organization?.id)).toEqual(
      [...others, customer, ...others].map(({ id }) => id),
    );
  });

  test('sees the key, and nothing else of its organization', async () => {
    const { secret } = await platform.createKey({ scopes: ['admin:full'] });
    const { data, errors } = await keyward.ask(
      `mutation ($input: VerifyApiKeyInput!) { verifyApiKey(input: $input) { apiKey {
         id name organization { id name plan apiKeys { totalCount } apiKeyPolicy { managedBy } }
         auditEvents { totalCount } usage { allowed } requests { nodes { requestId } }
         rotation { predecessor { id } successor { id } } advice { code } } } }`,
      { input: { key: presented.secret, service: 'gateway' } },
      { key: secret },
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      verifyApiKey: {
        apiKey: {
          ...{ id: presented.id, name: 'Presented' },
          ...{ auditEvents: null, usage: null, requests: null },
          ...{ rotation: { predecessor: null, successor: null } },
          organization: {
            ...{ id: customer.id, name: 'Customer', plan: 'free' },
            ...{ apiKeys: null, apiKeyPolicy: null },
          },
          advice: [{ code: 'NO_EXPIRATION' }],
        },
      },
    });
  });

  test('does not see the keys before and after a foreign one either', async () => {
    const { secret: admin } = await customer.createKey();
    const { id } = await customer.createKey({ scopes: ['contacts:read'] });
    const { data } = await keyward.ask<{ rotateApiKey: { secret: string } }>(
      `mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { secret } }`,
      { input: { id } },
      { key: admin },
    );
    const { secret } = await platform.createKey({ scopes: ['admin:full'] });
    const seen = await keyward.ask(
      `mutation ($input: VerifyApiKeyInput!) { verifyApiKey(input: $input) {
         apiKey { rotation { predecessor { id } lastRotatedAt } } } }`,
      { input: { key: data.rotateApiKey.secret, service: 'gateway' } },
      { key: secret },
    );
    expect(seen.data).toMatchObject({
      verifyApiKey: { apiKey: { rotation: { predecessor: null } } },
    });
  });

  test('works as soon as its organization is there, without a restart', async () => {
    const voice = await createOrganization(keyward, 'Voice');
    const { secret } = await voice.createKey({ scopes: ['api_keys:verify'] });
    expect(await outcomeFor(secret)).toBe('VALID');
  });

  test('needs api_keys:verify like any other', async () => {
    const { secret } = await platform.createKey({ scopes: ['api_keys:read'] });
    const answer = await verifyApiKey(keyward, { key: presented.secret }, { key: secret });
    expect(refusal(answer)).toMatchObject({ reason: 'INSUFFICIENT_SCOPE' });
  });
});

describe('nobody else verifies keys of another organization', () => {
  test('not a key of an organization that is not named, by alias or in a batch', async () => {
    const own = await customer.createKey({ scopes: ['api_keys:verify'] });
    const foreign = await platform.createKey();
    const { data } = await keyward.ask(
      `mutation ($own: VerifyApiKeyInput!, $foreign: VerifyApiKeyInput!) {
         a: verifyApiKey(input: $own) { outcome } b: verifyApiKey(input: $foreign) { outcome apiKey { id } } }`,
      {
        own: { key: presented.secret, service: 'contacts' },
        foreign: { key: foreign.secret, service: 'contacts' },
      },
      { key: own.secret },
    );
    expect(data).toEqual({ a: { outcome: 'VALID' }, b: { outcome: 'UNKNOWN', apiKey: null } });
    const asked = [presented, foreign].map(({ secret }) => ({ key: secret, service: 'contacts' }));
    const { body } = await postVerifications(keyward, asked, { key: own.secret });
    expect(body.verifications.map(({ outcome }) => outcome)).toEqual(['VALID', 'UNKNOWN']);
    expect(await admissionsOf(own.id)).toEqual([]);
  });

  test('not a person, in whichever organization', async () => {
    await withRooms(keyward, async ({ organizations }) =>
      organizations.link(await organizations.get('platform'), 'org_platform', 'request'),
    );
    const person = { sub: 'jane', role: 'admin', org_id: 'org_platform' };
    const own = await platform.createKey();
    const token = await provider.issue(person);
    expect(await outcomeFor(token)).toBe('UNKNOWN');
    const { data, headers } = await verifyApiKey(keyward, { key: own.secret }, { key: token });
    expect(data.verifyApiKey?.outcome).toBe('VALID');
    // A person's own requests are no use of a key; what they asked about is one.
    expect(await recordsOf(keyward, headers.get('x-request-id'))).toMatchObject([
      { organizationId: platform.id, apiKeyId: own.id, service: 'contacts' },
    ]);
  });

  test('not a customer who calls their organization by the name of a service', async () => {
    const bare = await startProduct({ services: ['acme'] }, provider.settings);
    try {
      const token = await provider.issue({
        ...{ sub: 'mallory', role: 'admin', org_id: 'evil', org_name: 'ACME' },
      });
      await bare.ask('{ viewer { kind } }', {}, { key: token });
      const rows = await bare.database.sql(`SELECT slug FROM organizations WHERE name = 'ACME'`);
      expect(rows).toEqual([{ slug: expect.stringMatching(/^acme-\w{8}$/) as unknown }]);
    } finally {
      await bare.stop();
    }
  });
});

describe('an organization reads in its audit trail which service verifies its keys', () => {
  test('once for each key, however many replicas and requests are first at once', async () => {
    const replica = await keyward.startReplica();
    const { id, secret } = await platform.createKey({ name: 'Edge', scopes: ['api_keys:verify'] });
    const verify = async (url: string) =>
      postVerifications({ url }, [{ key: presented.secret, service: 'edge' }], { key: secret });
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, turn) =>
        verify(turn % 2 === 0 ? keyward.url : replica.graphqlUrl),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await verify(keyward.url);
    expect(await admissionsOf(id)).toEqual([
      {
        ...{ organization_id: customer.id, actor_name: 'Edge', target_name: 'Customer' },
        changes: { service: { from: null, to: 'platform' } },
      },
    ]);
  });

  test('with the name of the key that does, whatever that key was told', async () => {
    const revoked = await customer.createKey();
    await keyward.ask(
      'mutation { revokeCurrentApiKey(reason: OTHER) { apiKey { id } } }',
      {},
      { key: revoked.secret },
    );
    const verifier = await platform.createKey({ name: 'Late', scopes: ['api_keys:verify'] });
    expect(await outcomeFor(verifier.secret, revoked.secret)).toBe('REVOKED');
    const { secret } = await customer.createKey({ scopes: ['audit_logs:read'] });
    const { data } = await keyward.ask(
      `query ($filter: AuditEventFilter) { auditEvents(filter: $filter) { nodes {
         action actor { displayName } targetType targetName } } }`,
      { filter: { actorId: verifier.id } },
      { key: secret },
    );
    expect(data).toEqual({
      auditEvents: {
        nodes: [
          {
            ...{ action: 'organization.verifier_admitted', targetType: 'Organization' },
            ...{ actor: { displayName: 'API Key: Late' }, targetName: 'Customer' },
          },
        ],
      },
    });
  });

  test('or the verification is refused with 503, and not remembered as told', async () => {
    const { id, secret } = await platform.createKey({ scopes: ['api_keys:verify'] });
    const verify = async () =>
      postVerifications(keyward, [{ key: presented.secret, service: 'edge' }], { key: secret });
    await keyward.database.sql('ALTER TABLE audit_chains RENAME TO unreachable');
    const refused = await verify();
    await keyward.database.sql('ALTER TABLE unreachable RENAME TO audit_chains');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.body.errors?.[0]?.extensions.code).toBe('UNAVAILABLE');
    expect(await admissionsOf(id)).toEqual([]);
    expect((await verify()).status).toBe(200);
    expect(await admissionsOf(id)).toHaveLength(1);
  });

  test('which its own keys’ verifications do not', async () => {
    const own = await platform.createKey();
    const { id, secret } = await platform.createKey({ scopes: ['api_keys:verify'] });
    expect(await outcomeFor(secret, own.secret)).toBe('VALID');
    expect(await admissionsOf(id)).toEqual([]);
  });
});
