import { graphql } from '../support/http';
import { startIdentityProvider, type IdentityProvider } from '../support/identity-provider';
import { ConflictError } from '../../src/kernel/errors';
import { withRooms } from '../support/organizations';
import { startTestKeyward, type TestKeyward } from '../support/keyward';

let provider: IdentityProvider;
let keyward: TestKeyward;
beforeAll(async () => {
  provider = await startIdentityProvider();
});
afterAll(async () => provider.stop());
beforeEach(async () => {
  keyward = await startTestKeyward(provider.settings);
});
afterEach(async () => keyward.stop());

interface Viewer {
  readonly viewer: {
    readonly kind: string;
    readonly scopes: readonly string[];
    readonly user: { readonly id: string; readonly name: string | null; readonly role: string };
    readonly organization: { readonly id: string; readonly name: string; readonly plan: string };
  };
}

const who = '{ viewer { kind scopes user { id name role } organization { id name plan } } }';
const jane = {
  sub: 'jane',
  name: 'Jane Roe',
  role: 'admin',
  org_id: 'acme',
  org_name: 'Acme Inc.',
};

async function view(claims: object): Promise<Viewer['viewer']> {
  const key = await provider.issue({ ...claims });
  return (await keyward.ask<Viewer>(who, {}, { key })).data.viewer;
}

async function changesBy(token: string): Promise<unknown[]> {
  const { data } = await keyward.ask<{ auditEvents: { nodes: unknown[] } }>(
    '{ auditEvents { nodes { action targetType targetName actor { kind displayName } changes } } }',
    {},
    { key: token },
  );
  return data.auditEvents.nodes.reverse();
}

test('twenty requests of one person over two replicas at first sight make one person and one organization', async () => {
  const replica = await keyward.startReplica();
  const token = await provider.issue(jane);
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, turn) =>
      graphql<Viewer>(
        turn % 2 === 0 ? keyward.url : replica.graphqlUrl,
        { query: who },
        { key: token },
      ),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const ids = answers.map(({ data }) => [data.viewer.user.id, data.viewer.organization.id].join());
  expect(new Set(ids).size).toBe(1);
  expect(await keyward.database.sql('SELECT FROM users')).toHaveLength(1);
  const [admin] = await keyward.database.sql<{ id: string }>(
    `SELECT id FROM organizations WHERE external_id = 'acme'`,
  );
  expect(ids[0]).toContain(admin?.id);
  expect(await changesBy(token)).toEqual([
    {
      action: 'organization.created',
      targetType: 'Organization',
      targetName: 'Acme Inc.',
      actor: { kind: 'USER', displayName: 'Jane Roe' },
      changes: {
        name: { from: null, to: 'Acme Inc.' },
        plan: { from: null, to: 'free' },
        externalId: { from: null, to: 'acme' },
      },
    },
    {
      action: 'user.created',
      targetType: 'User',
      targetName: 'Jane Roe',
      actor: { kind: 'USER', displayName: 'Jane Roe' },
      changes: { name: { from: null, to: 'Jane Roe' }, role: { from: null, to: 'ADMIN' } },
    },
  ]);
});

test('twenty people of one new organization, all at once over two replicas, are twenty people in one', async () => {
  const replica = await keyward.startReplica();
  const tokens = await Promise.all(
    Array.from({ length: 20 }, async (_, turn) => provider.issue({ ...jane, sub: `p${turn}` })),
  );
  const answers = await Promise.all(
    tokens.map(async (key, turn) =>
      graphql<Viewer>(turn % 2 === 0 ? keyward.url : replica.graphqlUrl, { query: who }, { key }),
    ),
  );
  expect(new Set(answers.map(({ data }) => data.viewer.user.id)).size).toBe(20);
  expect(new Set(answers.map(({ data }) => data.viewer.organization.id)).size).toBe(1);
});

test('an organization is who the provider says, never who has its name', async () => {
  const impostor = { sub: 'eve', role: 'admin', org_id: 'evil', org_name: 'default' };
  const { organization } = await view(impostor);
  const [standard] = await keyward.database.sql<{ id: string }>(
    `SELECT id FROM organizations WHERE slug = 'default'`,
  );
  expect(organization.id).not.toBe(standard?.id);
  for (const org_id of ['default', standard?.id]) {
    expect((await view({ ...impostor, org_id })).organization.id).not.toBe(standard?.id);
  }
  const key = await provider.issue(impostor);
  const { data } = await keyward.ask('{ apiKeys { totalCount } }', {}, { key });
  expect(data).toEqual({ apiKeys: { totalCount: 0 } });
});

test('promise 3: that another organization has the same name is told nowhere', async () => {
  const told = async (org_id: string): Promise<string> => {
    const key = await provider.issue({ ...jane, org_id });
    const { text } = await keyward.ask(
      '{ viewer { organization { name } } auditEvents { nodes { action targetName changes } } }',
      {},
      { key },
    );
    return text.replaceAll(org_id, 'ID');
  };
  expect(await told('first')).toBe(await told('second'));
});

test('an organization that was there before its people is theirs once it is linked', async () => {
  await withRooms(keyward, async ({ organizations }) => {
    const standard = await organizations.get('default');
    await organizations.link(standard, 'acme', 'request-0001');
    await organizations.link(standard, 'acme', 'request-0002');
    expect((await view(jane)).organization.id).toBe(standard.id);
    const { organization } = await view({ ...jane, org_id: 'other', org_name: 'Other' });
    const other = await organizations.get(organization.id);
    await expect(organizations.link(other, 'acme', 'request-0003')).rejects.toThrow(ConflictError);
    await expect(organizations.link(standard, 'other', 'request-0004')).rejects.toThrow(
      ConflictError,
    );
    expect((await organizations.get(standard.id)).name).toBe('Acme Inc.');
  });
  const events = await changesBy(await provider.issue(jane));
  expect(events.filter((event) => JSON.stringify(event).includes('organization.linked'))).toEqual([
    expect.objectContaining({ changes: { externalId: { from: null, to: 'acme' } } }),
  ]);
});

test('one person in two organizations is two people', async () => {
  const one = await view(jane);
  const other = await view({ ...jane, org_id: 'other', role: 'member' });
  expect(other.user.id).not.toBe(one.user.id);
  expect([one.user.role, other.user.role]).toEqual(['ADMIN', 'MEMBER']);
});

test('a person whom the provider tells only an id is welcome', async () => {
  const { user, organization } = await view({ sub: 'x', org_id: 42 });
  expect(user).toMatchObject({ name: null, role: 'MEMBER' });
  expect(organization).toMatchObject({ name: '42', plan: 'free' });
});

test('the role claim makes an ADMIN only by the word admin, alone or in a list', async () => {
  for (const role of ['admin', 'Admin', ['viewer', 'ADMIN']]) {
    expect((await view({ ...jane, role })).user.role).toBe('ADMIN');
  }
  const others = ['administrator', [['admin']], { admin: true }, true, null, undefined, 'member'];
  for (const role of others) expect((await view({ ...jane, role })).user.role).toBe('MEMBER');
});

test('claims may be named by paths and by URLs with dots in them', async () => {
  const replica = await keyward.startReplica({
    KEYWARD_OIDC_ORGANIZATION_CLAIM: 'https://acme.example/org',
    KEYWARD_OIDC_ORGANIZATION_NAME_CLAIM: 'app.organization.name',
    KEYWARD_OIDC_ROLE_CLAIM: 'realm_access.roles',
    KEYWARD_OIDC_PLAN_CLAIM: 'constructor.name',
  });
  const key = await provider.issue({
    sub: 'jane',
    'https://acme.example/org': 'elsewhere',
    app: { organization: { name: 'Else Ltd' } },
    realm_access: { roles: ['admin'] },
  });
  const { data } = await graphql<Viewer>(replica.graphqlUrl, { query: who }, { key });
  expect(data.viewer).toMatchObject({
    user: { role: 'ADMIN' },
    organization: { name: 'Else Ltd', plan: 'free' },
  });
});

test('what the token says anew is taken over and recorded; what it says again writes nothing', async () => {
  await view({ ...jane, plan: 'free' });
  const rows = `SELECT u.*, u.xmin, o.name AS organization, o.xmin AS organization_xmin
                FROM users u JOIN organizations o ON o.id = u.organization_id`;
  const before = await keyward.database.sql(rows);
  await view({ ...jane, plan: 'free' });
  await view({ ...jane, plan: undefined, name: undefined, org_name: undefined });
  expect(await keyward.database.sql(rows)).toEqual(before);
  const after = await view({
    ...jane,
    plan: 'paid',
    role: 'member',
    org_name: 'Acme Corp',
    name: 'J.',
  });
  expect(after).toMatchObject({
    user: { name: 'J.', role: 'MEMBER' },
    organization: { name: 'Acme Corp', plan: 'paid' },
  });
  const events = await changesBy(
    await provider.issue({ ...jane, plan: 'paid', org_name: 'Acme Corp' }),
  );
  expect(events.slice(2)).toMatchObject([
    { action: 'organization.renamed', actor: { displayName: 'System' } },
    {
      action: 'organization.plan_changed',
      changes: { plan: { from: 'free', to: 'paid' } },
      actor: { displayName: 'System' },
    },
    { action: 'user.role_changed', changes: { role: { from: 'ADMIN', to: 'MEMBER' } } },
    { action: 'user.role_changed', changes: { role: { from: 'MEMBER', to: 'ADMIN' } } },
  ]);
});

test('an older token brings neither an old role nor an old plan back', async () => {
  const now = Math.floor(Date.now() / 1000);
  await view({ ...jane, plan: 'paid', iat: now - 300 });
  const demoted = await view({ ...jane, plan: 'free', role: 'member', iat: now - 100 });
  expect(demoted.user.role).toBe('MEMBER');
  const old = await view({ ...jane, plan: 'paid', iat: now - 200 });
  expect(old).toMatchObject({ user: { role: 'MEMBER' }, organization: { plan: 'free' } });
  expect(old.scopes).not.toContain('organization:write');
  const colleague = await view({ ...jane, sub: 'joe', plan: 'paid', iat: now - 200 });
  expect(colleague.organization.plan).toBe('free');
});

test('what cannot be shown is taken out of names', async () => {
  const { user } = await view({ ...jane, name: ` Jane\u0000\n${'é'.repeat(200)}\ud800 ` });
  expect(user.name).toBe(`Jane  ${'é'.repeat(94)}`);
});

test('what a person does is in the audit trail and on the key under their name', async () => {
  const key = await provider.issue(jane);
  const { data } = await keyward.ask<{ createApiKey: { apiKey: object; secret: string } }>(
    `mutation { createApiKey(input: { name: "CI/CD Pipeline", scopes: ["admin:full"] }) {
       apiKey { createdBy { kind displayName } } secret } }`,
    {},
    { key },
  );
  expect(data.createApiKey.apiKey).toEqual({
    createdBy: { kind: 'USER', displayName: 'Jane Roe' },
  });
  expect((await changesBy(key)).at(-1)).toMatchObject({
    action: 'api_key.created',
    actor: { kind: 'USER', displayName: 'Jane Roe' },
  });
  const { viewer } = (await keyward.ask<Viewer>(who, {}, { key: data.createApiKey.secret })).data;
  expect(viewer.organization.name).toBe('Acme Inc.');
});

test('a person cannot revoke "the key that asks"', async () => {
  const { errors } = await keyward.ask(
    'mutation { revokeCurrentApiKey(reason: UNUSED) { apiKey { id } } }',
    {},
    { key: await provider.issue(jane) },
  );
  expect(errors[0]?.extensions.code).toBe('BAD_USER_INPUT');
});
