import { accountOf, type Account } from './people';
import { refusalOf, startProduct, type Product } from './product';

// EG's help page, "Create & Manage API Keys", sentence by sentence.

let eg: Product;
let account: Account;
beforeAll(async () => {
  account = await accountOf('eg');
  eg = await startProduct('eg', account.settings);
});
afterAll(async () => {
  await eg.stop();
  await account.stop();
});

const create = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { id } secret } }`;
const input = { name: 'CI/CD Pipeline', scopes: ['sessions:read'] };

test('admin only: a member can neither create, list, export nor revoke keys', async () => {
  const created = await eg.ask(account.member, create, { input });
  expect(created.body.data).toEqual({ createApiKey: null });
  const listed = await eg.ask(account.member, '{ apiKeys { totalCount } }');
  expect(listed.status).toBe(403);
  const exported = await fetch(new URL('/registry.csv', eg.keyward.url), {
    headers: { authorization: `Bearer ${account.member}` },
  });
  expect(exported.status).toBe(403);
  const { id, secret } = await eg.create(account.admin, input);
  const revoked = await eg.ask(
    account.member,
    'mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: OTHER }) { apiKey { id } } }',
    { id },
  );
  expect(revoked.status).toBe(403);
  expect((await eg.use(secret)).status).toBe(200);
});

test('paid plan only: on another plan the refusal names the plan', async () => {
  const answer = await eg.ask(account.freeAdmin, create, { input });
  expect(refusalOf(answer)).toEqual({ code: 'POLICY_VIOLATION', rule: 'REQUIRED_PLAN' });
  expect(answer.errors[0]?.message).toContain('paid');
});

test('the form takes name, expiry date, description and scopes', async () => {
  const key = await eg.create(account.admin, {
    ...input,
    expiresAt: '2100-01-01T00:00:00Z',
    description: 'Used by GitHub Actions deploy workflow',
  });
  expect(key).toMatchObject({
    name: 'CI/CD Pipeline',
    expiresAt: '2100-01-01T00:00:00.000Z',
    description: 'Used by GitHub Actions deploy workflow',
    scopes: ['sessions:read'],
  });
});

test('expiry date and description are optional', async () => {
  const { expiresAt, description } = await eg.create(account.admin, input);
  expect({ expiresAt, description }).toEqual({ expiresAt: null, description: null });
});

test('the form offers four scopes and Full Access', async () => {
  const { data } = await eg.ask<{ scopes: { title: string }[] }>(
    account.admin,
    '{ scopes { title } }',
  );
  expect(data.scopes.map(({ title }) => title).slice(0, 5)).toEqual([
    'Sessions (Read)',
    'Sessions (Write)',
    'Resources (Read)',
    'Audit Logs (Read)',
    'Full Access',
  ]);
});

test('Full Access grants all scopes', async () => {
  const { secret } = await eg.create(account.admin, { name: 'All', scopes: ['full_access'] });
  const { data } = await eg.ask<{ viewer: { scopes: string[] } }>(secret, '{ viewer { scopes } }');
  expect(data.viewer.scopes).toEqual(
    expect.arrayContaining([
      'sessions:read',
      'sessions:write',
      'resources:read',
      'audit_logs:read',
    ]),
  );
});

test('the full key is shown once; the table shows its first characters, such as eg_live_1234...', async () => {
  const { secret, prefix, id } = await eg.create(account.admin, input);
  expect(secret).toMatch(/^eg_live_[0-9A-Za-z]{39}$/);
  const listed = (await eg.list(account.admin)).find((key) => key.id === id);
  expect(listed?.prefix).toBe(prefix);
  expect(prefix).toMatch(/^eg_live_[0-9A-Za-z]{6}$/);
  expect(JSON.stringify(listed)).not.toContain(secret);
});

test('the table shows name, prefix, scopes, last used, status and created', async () => {
  const { id, secret, createdAt } = await eg.create(account.admin, input);
  await eg.use(secret);
  expect((await eg.list(account.admin)).find((key) => key.id === id)).toMatchObject({
    name: 'CI/CD Pipeline',
    scopes: ['sessions:read'],
    lastUsedAt: expect.any(String) as unknown,
    status: 'ACTIVE',
    createdAt,
  });
});

test('status is Active (green), Expired (yellow) or Revoked (red)', async () => {
  const active = await eg.create(account.admin, { ...input, name: 'Green' });
  const expired = await eg.create(account.admin, { ...input, name: 'Yellow', expiresIn: 'P1D' });
  const revoked = await eg.create(account.admin, { ...input, name: 'Red' });
  await eg.keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [
    expired.id,
  ]);
  await eg.revoke(account.admin, revoked.id);
  const keys = new Map((await eg.list(account.admin)).map((key) => [key.id, key.status]));
  expect([keys.get(active.id), keys.get(expired.id), keys.get(revoked.id)]).toEqual([
    'ACTIVE',
    'EXPIRED',
    'REVOKED',
  ]);
});

test('any application that uses a revoked key loses access immediately, with 401', async () => {
  const { id, secret } = await eg.create(account.admin, input);
  await eg.revoke(account.admin, id);
  expect(await eg.use(secret)).toEqual({ status: 401, reason: 'REVOKED' });
});

test('a key with an expiry date becomes invalid by itself; expired keys should be revoked', async () => {
  const { id, secret } = await eg.create(account.admin, { ...input, expiresIn: 'P1D' });
  await eg.keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [id]);
  expect(await eg.use(secret)).toEqual({ status: 401, reason: 'EXPIRED' });
  const before = (await eg.list(account.admin)).find((key) => key.id === id);
  expect(before?.advice.map(({ code }) => code)).toContain('EXPIRED_NOT_REVOKED');
  await eg.revoke(account.admin, id, 'UNUSED');
  const after = (await eg.list(account.admin)).find((key) => key.id === id);
  expect(after?.status).toBe('REVOKED');
});

test('best practices: minimal scopes and expiration dates are asked for', async () => {
  const { advice } = await eg.create(account.admin, { name: 'Broad', scopes: ['full_access'] });
  expect(advice.map(({ code }) => code)).toEqual(
    expect.arrayContaining(['FULL_ACCESS', 'NO_EXPIRATION']),
  );
});

test('best practices: one key per service, so that revoking one stops no other', async () => {
  const pipelines = [
    await eg.create(account.admin, { ...input, name: 'Build' }),
    await eg.create(account.admin, { ...input, name: 'Deploy' }),
  ] as const;
  await eg.revoke(account.admin, pipelines[0].id);
  expect((await eg.use(pipelines[0].secret)).status).toBe(401);
  expect((await eg.use(pipelines[1].secret)).status).toBe(200);
});

test('who loses a key revokes it and creates a new one', async () => {
  const lost = await eg.create(account.admin, input);
  await eg.revoke(account.admin, lost.id, 'OTHER');
  const { secret } = await eg.create(account.admin, input);
  expect((await eg.use(secret)).status).toBe(200);
});

test('for programmatic access a key creates keys', async () => {
  const scopes = ['api_keys:write', 'sessions:read'];
  const { secret } = await eg.create(account.admin, { name: 'Key maker', scopes });
  expect((await eg.use((await eg.create(secret, input)).secret)).status).toBe(200);
});

test('best practices: rotate keys every 90 days', async () => {
  const { id } = await eg.create(account.admin, input);
  await eg.keyward.database.sql(
    `UPDATE api_keys SET created_at = now() - interval '91 days' WHERE id = $1`,
    [id],
  );
  const key = (await eg.list(account.admin)).find((each) => each.id === id);
  expect(key?.advice.map(({ code }) => code)).toContain('ROTATION_DUE');
});

test('best practices: last used tells inactive keys', async () => {
  const { id } = await eg.create(account.admin, input);
  const unused = await eg.list(account.admin, { unusedSince: new Date().toISOString() });
  expect(unused.map((key) => key.id)).toContain(id);
});
