import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer } from '../support/http';
import { startIdentityProvider, type IdentityProvider } from '../support/identity-provider';
import { startTestKeyward, type TestKeyward } from '../support/keyward';

let provider: IdentityProvider;
beforeAll(async () => {
  provider = await startIdentityProvider();
});
afterAll(async () => provider.stop());

const running: TestKeyward[] = [];
afterEach(async () => {
  for (const keyward of running.splice(0)) await keyward.stop();
});

/** A Keyward for people of a product that is configured so. */
async function start(product: object = {}): Promise<TestKeyward> {
  const path = join(mkdtempSync(join(tmpdir(), 'keyward-policy-')), 'product.json');
  writeFileSync(path, JSON.stringify(product));
  const keyward = await startTestKeyward({ ...provider.settings, KEYWARD_CONFIG: path });
  running.push(keyward);
  return keyward;
}

async function person(role: string, more: object = {}): Promise<string> {
  return provider.issue({ sub: role, name: role, role, org_id: 'acme', ...more });
}

const create = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { id expiresAt } secret } }`;
const input = { name: 'Some integration', scopes: ['contacts:read'] };
const update = `mutation ($input: UpdateOrganizationPolicyInput!) {
  updateOrganizationPolicy(input: $input) { organization { apiKeyPolicy {
    managedBy requiredPlan maxLifetime expirationRequired defaultRotationGrace maxActiveKeys } } } }`;
const theDefault = {
  managedBy: 'MEMBER',
  requiredPlan: null,
  maxLifetime: null,
  expirationRequired: false,
  defaultRotationGrace: 'P7D',
  maxActiveKeys: null,
};

async function scopesOf(keyward: TestKeyward, key: string): Promise<readonly string[]> {
  const { data } = await keyward.ask<{ viewer: { scopes: readonly string[] } }>(
    '{ viewer { scopes } }',
    {},
    { key },
  );
  return data.viewer.scopes;
}

function ruleIn({ errors }: Answer<unknown>): unknown {
  const extensions = errors[0]?.extensions;
  return extensions?.code === 'POLICY_VIOLATION' ? extensions.rule : extensions;
}

test('where members manage keys, a member may do all but change the organization, and cannot grant that either', async () => {
  const keyward = await start();
  const key = await person('member');
  const scopes = await scopesOf(keyward, key);
  expect(scopes).toEqual(expect.arrayContaining(['api_keys:write', 'audit_logs:read']));
  expect(scopes).not.toContain('organization:write');
  expect(scopes).not.toContain('admin:full');
  expect((await keyward.ask(create, { input }, { key })).errors).toEqual([]);
  for (const scope of ['organization:write', 'admin:full']) {
    const answer = await keyward.ask(create, { input: { ...input, scopes: [scope] } }, { key });
    expect(ruleIn(answer)).toBe('GRANT_SCOPES');
  }
  const refused = await keyward.ask(update, { input: { managedBy: 'ADMIN' } }, { key });
  expect(refused.status).toBe(403);
  expect(refused.errors[0]?.extensions).toMatchObject({ reason: 'INSUFFICIENT_SCOPE' });
  expect(refused.errors[0]?.message).toContain('you do not have');
});

test('where only admins manage keys, a member has none of Keyward’s scopes', async () => {
  const keyward = await start({ policy: { managedBy: 'ADMIN' } });
  const key = await person('member');
  const scopes = await scopesOf(keyward, key);
  expect(scopes).toContain('contacts:read');
  expect(
    scopes.filter((scope) => /^(api_keys|audit_logs|organization|analytics|admin):/.test(scope)),
  ).toEqual([]);
  expect((await keyward.ask(create, { input }, { key })).status).toBe(403);
  expect((await keyward.ask('{ apiKeys { totalCount } }', {}, { key })).status).toBe(403);
  const admin = await person('admin');
  expect((await keyward.ask(create, { input }, { key: admin })).errors).toEqual([]);
});

test('where every key has full access, members make such keys', async () => {
  const keyward = await start({ keys: { permissions: 'full_access' } });
  const key = await person('member');
  const { errors } = await keyward.ask(
    create,
    { input: { name: 'Data Team Automation' } },
    { key },
  );
  expect(errors).toEqual([]);
});

test('an admin who leaves keys to admins shuts members out at once, and can let them in again', async () => {
  const keyward = await start();
  const [admin, member] = [await person('admin'), await person('member')];
  expect((await keyward.ask(create, { input }, { key: member })).errors).toEqual([]);
  const { data } = await keyward.ask(update, { input: { managedBy: 'ADMIN' } }, { key: admin });
  expect(data).toEqual({
    updateOrganizationPolicy: {
      organization: { apiKeyPolicy: { ...theDefault, managedBy: 'ADMIN' } },
    },
  });
  expect((await keyward.ask(create, { input }, { key: member })).status).toBe(403);
  await keyward.ask(update, { input: { managedBy: null } }, { key: admin });
  expect((await keyward.ask(create, { input }, { key: member })).errors).toEqual([]);
});

test('keys go on working, and so does a key with organization:write, when only admins manage keys', async () => {
  const keyward = await start();
  const { secret } = await keyward.createKey({ scopes: ['organization:write', 'api_keys:read'] });
  const { errors, data } = await keyward.ask(
    update,
    { input: { managedBy: 'ADMIN' } },
    { key: secret },
  );
  expect(errors).toEqual([]);
  expect(data).toMatchObject({
    updateOrganizationPolicy: { organization: { apiKeyPolicy: { managedBy: 'ADMIN' } } },
  });
  expect((await keyward.ask(create, { input })).errors).toEqual([]);
  const events = await keyward.ask(
    '{ auditEvents(filter: { actions: ["organization.policy_updated"] }) { nodes { changes targetName actor { displayName } } } }',
  );
  expect(events.data).toEqual({
    auditEvents: {
      nodes: [
        {
          changes: { managedBy: { from: null, to: 'ADMIN' } },
          targetName: 'default',
          actor: { displayName: 'API Key: Some integration' },
        },
      ],
    },
  });
});

const strict = {
  keys: { maxLifetime: 'P90D', expirationRequired: true, rotationGrace: 'P3D', maxActiveKeys: 5 },
  policy: { managedBy: 'ADMIN', requiredPlan: 'paid' },
};

test('a policy that is looser than the product’s is refused, and nothing of it is kept', async () => {
  const keyward = await start(strict);
  for (const change of [
    { managedBy: 'MEMBER' },
    { requiredPlan: 'free' },
    { maxLifetime: 'P91D' },
    { expirationRequired: false },
    { defaultRotationGrace: 'PT73H' },
    { maxActiveKeys: 6 },
  ]) {
    const [member] = Object.keys(change);
    const stricter = member === 'maxActiveKeys' ? { maxLifetime: 'P1D' } : { maxActiveKeys: 1 };
    const answer = await keyward.ask(update, { input: { ...stricter, ...change } });
    expect(ruleIn(answer)).toBe('POLICY_LOOSENED');
    expect(answer.errors[0]?.extensions.field).toBe(`input.${member ?? ''}`);
    expect(answer.errors[0]?.message).toContain(`input.${member ?? ''}`);
  }
  const kept = await keyward.database.sql(
    `SELECT FROM organizations WHERE max_active_keys IS NOT NULL OR max_lifetime IS NOT NULL`,
  );
  expect(kept).toEqual([]);
});

test('a policy that is as strict as the product’s or stricter counts; null takes it back', async () => {
  const keyward = await start(strict);
  const tightened = {
    managedBy: 'ADMIN',
    requiredPlan: 'paid',
    maxLifetime: 'P30D',
    expirationRequired: true,
    defaultRotationGrace: 'PT0S',
    maxActiveKeys: 2,
  };
  const { data } = await keyward.ask(update, { input: tightened });
  expect(data).toMatchObject({
    updateOrganizationPolicy: { organization: { apiKeyPolicy: tightened } },
  });
  const nothing = Object.fromEntries(Object.keys(tightened).map((member) => [member, null]));
  const taken = await keyward.ask(update, { input: nothing });
  expect(taken.data).toMatchObject({
    updateOrganizationPolicy: {
      organization: {
        apiKeyPolicy: {
          ...tightened,
          maxLifetime: 'P90D',
          defaultRotationGrace: 'P3D',
          maxActiveKeys: 5,
        },
      },
    },
  });
});

test('a policy that makes no sense is refused', async () => {
  const keyward = await start();
  for (const change of [
    { maxLifetime: 'PT0S' },
    { maxActiveKeys: 0 },
    { requiredPlan: '' },
    { requiredPlan: 'a\u0000b' },
  ]) {
    const { errors } = await keyward.ask(update, { input: change });
    const field = `input.${Object.keys(change).join('')}`;
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  }
});

test('changing nothing records nothing', async () => {
  const keyward = await start();
  for (const change of [{}, { managedBy: null }]) {
    expect((await keyward.ask(update, { input: change })).errors).toEqual([]);
  }
  const events = await keyward.database.sql(
    `SELECT FROM audit_events WHERE action = 'organization.policy_updated'`,
  );
  expect(events).toEqual([]);
});

test('new keys keep to what the organization has tightened', async () => {
  const keyward = await start({ keys: { defaultExpiresIn: 'P90D' } });
  const ask = async (more: object) => keyward.ask(create, { input: { ...input, ...more } });
  await keyward.ask(update, { input: { maxLifetime: 'P30D', maxActiveKeys: 2 } });
  expect(ruleIn(await ask({ expiresIn: 'P31D' }))).toBe('MAX_LIFETIME');
  const { data } = await keyward.ask<{ createApiKey: { apiKey: { expiresAt: string } } }>(create, {
    input,
  });
  const days = (Date.parse(data.createApiKey.apiKey.expiresAt) - Date.now()) / 86_400_000;
  expect(days).toBeCloseTo(30, 2);
  expect(ruleIn(await ask({}))).toBe('MAX_ACTIVE_KEYS');
});

test('of creations at the same time no more than the organization allows succeed', async () => {
  const keyward = await start();
  await keyward.ask(update, { input: { maxActiveKeys: 4 } });
  const answers = await Promise.all(
    Array.from({ length: 12 }, async () => keyward.ask(create, { input })),
  );
  expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(3);
});

test('a policy that is tightened among creations holds for every one that follows it', async () => {
  const keyward = await start();
  const creations = Array.from({ length: 12 }, async () => keyward.ask(create, { input }));
  const tightened = keyward.ask(update, { input: { expirationRequired: true } });
  await Promise.all([...creations, tightened]);
  const events = await keyward.database.sql<{ action: string }>(
    `SELECT action FROM audit_events ORDER BY sequence`,
  );
  const actions = events.map(({ action }) => action);
  expect(actions.at(-1)).toBe('organization.policy_updated');
});

test('a plan gate names the plan, for people and keys, and opens when the token says so', async () => {
  const keyward = await start({ policy: { requiredPlan: 'paid' } });
  const free = await person('admin', { plan: 'free' });
  const answer = await keyward.ask(create, { input }, { key: free });
  expect(ruleIn(answer)).toBe('REQUIRED_PLAN');
  expect(answer.errors[0]?.message).toContain('"paid"');
  expect(ruleIn(await keyward.ask(create, { input }))).toBe('REQUIRED_PLAN');
  const paid = await person('admin', { plan: 'paid' });
  const { data, errors } = await keyward.ask<{ createApiKey: { secret: string } }>(
    create,
    { input: { ...input, scopes: ['admin:full'] } },
    { key: paid },
  );
  expect(errors).toEqual([]);
  const left = await person('admin', { plan: 'free', iat: Math.floor(Date.now() / 1000) + 2 });
  expect(ruleIn(await keyward.ask(create, { input }, { key: left }))).toBe('REQUIRED_PLAN');
  const { secret } = data.createApiKey;
  expect((await keyward.ask('{ apiKeys { totalCount } }', {}, { key: secret })).status).toBe(200);
  expect(ruleIn(await keyward.ask(create, { input }, { key: secret }))).toBe('REQUIRED_PLAN');
});

test('another organization’s policy is neither seen nor changed', async () => {
  const keyward = await start();
  const mine = await person('admin');
  const other = await person('admin', { org_id: 'other', sub: 'other' });
  await keyward.ask(update, { input: { maxActiveKeys: 1 } }, { key: mine });
  const query = '{ viewer { organization { id apiKeyPolicy { maxActiveKeys } } } }';
  const { data } = await keyward.ask<{ viewer: { organization: { id: string } } }>(
    query,
    {},
    { key: mine },
  );
  const seen = await keyward.ask(query, {}, { key: other });
  expect(seen.data).toMatchObject({
    viewer: { organization: { apiKeyPolicy: { maxActiveKeys: null } } },
  });
  const entity = await keyward.ask(
    `query ($id: ID!) { _entities(representations: [{ __typename: "Organization", id: $id }]) {
       ... on Organization { apiKeyPolicy { maxActiveKeys } } } }`,
    { id: data.viewer.organization.id },
    { key: other },
  );
  expect(entity.body.data).toEqual({ _entities: [null] });
});

test('a policy shown twice in one request is shown as it is each time', async () => {
  const keyward = await start();
  const shown = `organization { apiKeyPolicy { maxActiveKeys } }`;
  const { data } = await keyward.ask(`mutation {
    a: updateOrganizationPolicy(input: { maxActiveKeys: 9 }) { ${shown} }
    b: updateOrganizationPolicy(input: { maxActiveKeys: 8 }) { ${shown} } }`);
  expect(data).toEqual({
    a: { organization: { apiKeyPolicy: { maxActiveKeys: 9 } } },
    b: { organization: { apiKeyPolicy: { maxActiveKeys: 8 } } },
  });
});
