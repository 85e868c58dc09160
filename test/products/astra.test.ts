import { accountOf, type Account } from './people';
import { startProduct, type Product } from './product';

// Astra's help page, "API Keys", sentence by sentence.

let astra: Product;
let account: Account;
beforeAll(async () => {
  account = await accountOf('astra');
  astra = await startProduct('astra', account.settings);
});
afterAll(async () => {
  await astra.stop();
  await account.stop();
});

test('an API key starts with sk_live_', async () => {
  const { secret } = await astra.create(account.member, { name: 'Production CRM Sync' });
  expect(secret).toMatch(/^sk_live_[0-9A-Za-z]{39}$/);
});

test('it lets an application authenticate without a user signing in', async () => {
  const { secret } = await astra.create(account.member, { name: 'Lead sync' });
  const { data } = await astra.ask(secret, '{ viewer { kind organization { name } } }');
  expect(data).toMatchObject({ viewer: { kind: 'API_KEY', organization: { name: 'Astra Labs' } } });
});

test('a key is created by giving a descriptive name and nothing else', async () => {
  const { name, status, scopes } = await astra.create(account.member, {
    name: 'Production CRM Sync',
  });
  expect({ name, status }).toEqual({ name: 'Production CRM Sync', status: 'ACTIVE' });
  expect(scopes).toEqual(['full_access']);
});

test('the complete key is displayed once, afterwards only a shortened prefix', async () => {
  const created = await astra.create(account.member, { name: 'Dashboards' });
  const { text } = await astra.ask(
    account.member,
    'query ($id: ID!) { apiKey(id: $id) { name prefix redacted metadata } }',
    { id: created.id },
  );
  expect(text).toContain(created.prefix);
  expect(text).not.toContain(created.secret);
  expect(created.secret.startsWith(created.prefix)).toBe(true);
  expect(created.prefix.length).toBeLessThan(created.secret.length / 2);
});

test('the key goes into the authorization header as a Bearer token', async () => {
  const { secret } = await astra.create(account.member, { name: 'Header' });
  expect(await astra.use(secret)).toEqual({ status: 200, reason: undefined });
});

test('the list shows all active keys with name, prefix, when created and when last used', async () => {
  const created = await astra.create(account.member, { name: 'Listed' });
  const revoked = await astra.create(account.member, { name: 'No longer listed' });
  await astra.revoke(account.member, revoked.id);
  const keys = await astra.list(account.member, { status: ['ACTIVE'] });
  expect(keys.map(({ name }) => name)).not.toContain('No longer listed');
  expect(keys.find(({ id }) => id === created.id)).toMatchObject({
    name: 'Listed',
    prefix: created.prefix,
    createdAt: created.createdAt,
  });
});

test('last used stays blank until the key was used', async () => {
  const { id, secret } = await astra.create(account.member, { name: 'Unused' });
  const lastUsed = async (): Promise<string | null | undefined> =>
    (await astra.list(account.member)).find((key) => key.id === id)?.lastUsedAt;
  expect(await lastUsed()).toBeNull();
  await astra.use(secret);
  expect(await lastUsed()).toEqual(expect.any(String));
});

test.each([
  ['it was exposed', 'COMPROMISED'],
  ['an integration is no longer required', 'PROJECT_ENDED'],
  ['a team member with access left', 'EMPLOYEE_DEPARTURE'],
  ['credentials are rotated', 'REPLACED'],
])('a key is revoked because %s, and that is kept', async (_why, reason) => {
  const { id } = await astra.create(account.member, { name: 'To be revoked' });
  await astra.revoke(account.member, id, reason);
  const { data } = await astra.ask(
    account.member,
    'query ($id: ID!) { apiKey(id: $id) { status revocation { reason } } }',
    { id },
  );
  expect(data).toEqual({ apiKey: { status: 'REVOKED', revocation: { reason } } });
});

test('after revocation the key becomes invalid immediately', async () => {
  const { id, secret } = await astra.create(account.member, { name: 'Exposed' });
  await astra.revoke(account.member, id, 'COMPROMISED');
  expect(await astra.use(secret)).toEqual({ status: 401, reason: 'REVOKED' });
});

test('an application has no access until a new valid key is configured', async () => {
  const { id, secret } = await astra.create(account.member, { name: 'Integration' });
  await astra.revoke(account.member, id);
  expect((await astra.use(secret)).status).toBe(401);
  const successor = await astra.create(account.member, { name: 'Integration, again' });
  expect((await astra.use(successor.secret)).status).toBe(200);
});

test('keys are rotated regularly: a new one takes over while the old one still works', async () => {
  const { id, secret } = await astra.create(account.member, { name: 'Rotated' });
  const { data } = await astra.ask<{ rotateApiKey: { secret: string } }>(
    account.member,
    'mutation ($id: ID!) { rotateApiKey(input: { id: $id }) { secret } }',
    { id },
  );
  expect((await astra.use(data.rotateApiKey.secret)).status).toBe(200);
  expect((await astra.use(secret)).status).toBe(200);
});

test('separate keys for testing and production: revoking one stops no other', async () => {
  const testing = await astra.create(account.member, { name: 'Testing CRM Sync' });
  const production = await astra.create(account.member, { name: 'Production CRM Sync' });
  await astra.revoke(account.member, testing.id);
  expect((await astra.use(testing.secret)).status).toBe(401);
  expect((await astra.use(production.secret)).status).toBe(200);
});

test('unused keys can be found to be revoked', async () => {
  const { id } = await astra.create(account.member, { name: 'Forgotten' });
  const keys = await astra.list(account.member, { unusedSince: new Date().toISOString() });
  expect(keys.map((key) => key.id)).toContain(id);
});
