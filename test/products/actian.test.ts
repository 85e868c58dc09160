import { accountOf, type Account } from './people';
import { startProduct, type Product } from './product';

// Actian AI Analyst's help page, "API Keys", sentence by sentence.

let actian: Product;
let account: Account;
beforeAll(async () => {
  account = await accountOf('actian');
  actian = await startProduct('actian', account.settings);
});
afterAll(async () => {
  await actian.stop();
  await account.stop();
});

test('each key is scoped to its organization', async () => {
  const { id, secret } = await actian.create(account.member, { name: 'Ours' });
  const { data } = await actian.ask(secret, '{ viewer { organization { name } } }');
  expect(data).toMatchObject({ viewer: { organization: { name: 'Actian Labs' } } });
  const theirs = await actian.ask(account.stranger, 'query ($id: ID!) { apiKey(id: $id) { id } }', {
    id,
  });
  expect(theirs.body).toEqual({ data: { apiKey: null } });
});

test('a key grants full access', async () => {
  const { secret } = await actian.create(account.member, { name: 'Data Team Automation' });
  const { data } = await actian.ask<{ viewer: { scopes: string[] } }>(
    secret,
    '{ viewer { scopes } }',
  );
  expect(data.viewer.scopes).toEqual(expect.arrayContaining(['full_access', 'api_keys:write']));
});

test.each(['member', 'admin'] as const)(
  'key management is available to all Studio users: %s',
  async (who) => {
    const { id } = await actian.create(account[who], { name: `Made by ${who}` });
    await actian.revoke(account[who], id);
  },
);

test('the name is required', async () => {
  const { errors } = await actian.ask(
    account.member,
    'mutation { createApiKey(input: { name: "  " }) { secret } }',
  );
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.name' });
});

test('a description adds extra context, and may be left out', async () => {
  const given = await actian.create(account.member, {
    name: 'CI/CD Pipeline',
    description: 'Used by the nightly build',
  });
  expect(given.description).toBe('Used by the nightly build');
  expect((await actian.create(account.member, { name: 'Bare' })).description).toBeNull();
});

test('with an expiration the key stops working by itself after that date', async () => {
  const { id, secret } = await actian.create(account.member, {
    name: 'Short-lived',
    expiresIn: 'P30D',
  });
  expect((await actian.use(secret)).status).toBe(200);
  await actian.keyward.database.sql(`UPDATE api_keys SET expires_at = now() WHERE id = $1`, [id]);
  expect(await actian.use(secret)).toEqual({ status: 401, reason: 'EXPIRED' });
});

test('left blank, the key never expires', async () => {
  const { expiresAt } = await actian.create(account.member, { name: 'For ever' });
  expect(expiresAt).toBeNull();
});

test('the secret key looks like sk_ and names no environment', async () => {
  const { secret, prefix } = await actian.create(account.member, { name: 'Plain' });
  expect(secret).toMatch(/^sk_[0-9A-Za-z]{39}$/);
  expect(prefix).toMatch(/^sk_[0-9A-Za-z]{6}$/);
});

test('the secret is shown once and never again', async () => {
  const { secret } = await actian.create(account.member, { name: 'Once' });
  const { text } = await actian.ask(
    account.member,
    '{ apiKeys { nodes { name prefix redacted description metadata tags } } }',
  );
  expect(text).not.toContain(secret);
  expect(text).not.toContain(secret.slice(3, -4));
});

test('the key goes with every request as a Bearer token in the Authorization header, and nowhere else', async () => {
  const { secret } = await actian.create(account.member, { name: 'Header' });
  expect((await actian.use(secret)).status).toBe(200);
  const elsewhere = await fetch(`${actian.keyward.url}?key=${secret}&query={scopes{name}}`, {
    headers: { 'x-api-key': secret, 'apollo-require-preflight': 'true' },
  });
  expect(elsewhere.status).toBe(401);
});

test('the list shows name, description, last used, created when and by whom, and status', async () => {
  const created = await actian.create(account.member, { name: 'Listed', description: 'Notes' });
  await actian.use(created.secret);
  const keys = await actian.list(account.member);
  expect(keys.find(({ id }) => id === created.id)).toMatchObject({
    name: 'Listed',
    description: 'Notes',
    lastUsedAt: expect.any(String) as unknown,
    createdAt: created.createdAt,
    createdBy: { displayName: account.memberName },
    status: 'ACTIVE',
  });
  await actian.revoke(account.member, created.id);
  const after = await actian.list(account.member);
  expect(after.find(({ id }) => id === created.id)?.status).toBe('REVOKED');
});

test('who loses a key revokes it and creates a new one', async () => {
  const lost = await actian.create(account.member, { name: 'Lost' });
  await actian.revoke(account.member, lost.id);
  const found = await actian.create(account.member, { name: 'Lost' });
  expect((await actian.use(found.secret)).status).toBe(200);
});

test('a revoked key is rejected immediately', async () => {
  const { id, secret } = await actian.create(account.member, { name: 'Revoked' });
  await actian.revoke(account.member, id);
  expect(await actian.use(secret)).toEqual({ status: 401, reason: 'REVOKED' });
});

test('a new key can take over before the old one is revoked', async () => {
  const old = await actian.create(account.member, { name: 'Automation' });
  const { data } = await actian.ask<{ rotateApiKey: { secret: string } }>(
    account.member,
    'mutation ($id: ID!) { rotateApiKey(input: { id: $id, keepPredecessor: true }) { secret } }',
    { id: old.id },
  );
  const { secret } = data.rotateApiKey;
  expect([(await actian.use(old.secret)).status, (await actian.use(secret)).status]).toEqual([
    200, 200,
  ]);
  await actian.revoke(account.member, old.id, 'REPLACED');
  expect([(await actian.use(old.secret)).status, (await actian.use(secret)).status]).toEqual([
    401, 200,
  ]);
});

test('changes made through a key are attributed to "API Key: CI/CD Pipeline" in the audit logs', async () => {
  const { secret } = await actian.create(account.member, { name: 'CI/CD Pipeline' });
  const made = await actian.create(secret, { name: 'Made by the pipeline' });
  const { data } = await actian.ask<{
    auditEvents: { nodes: { action: string; actor: { displayName: string } }[] };
  }>(
    account.admin,
    `query ($id: ID!) { auditEvents(filter: { targetId: $id }) {
       nodes { action actor { displayName } } } }`,
    { id: made.id },
  );
  expect(data.auditEvents.nodes).toEqual([
    { action: 'api_key.created', actor: { displayName: 'API Key: CI/CD Pipeline' } },
  ]);
});

test('all API requests made with a key are attributed to that key', async () => {
  const { id, secret } = await actian.create(account.member, { name: 'CI/CD Pipeline' });
  const { headers } = await actian.ask(secret, '{ viewer { kind } }');
  const { data } = await actian.ask(
    account.member,
    `query ($id: ID!) { apiKeyRequests(filter: { requestId: $id }) { nodes { apiKey { id name } } } }`,
    { id: headers.get('x-request-id') },
  );
  expect(data).toEqual({ apiKeyRequests: { nodes: [{ apiKey: { id, name: 'CI/CD Pipeline' } }] } });
});
