import { accountOf, type Account } from './people';
import { refusalOf, startProduct, type Product, type Succession } from './product';

// Ayra's help page, "Understanding and Managing API Keys", sentence by sentence, up to what
// its dashboard offers; ayra-rotation.test.ts goes on.

let ayra: Product;
let account: Account;
beforeAll(async () => {
  account = await accountOf('ayra');
  ayra = await startProduct('ayra', account.settings);
});
afterAll(async () => {
  await ayra.stop();
  await account.stop();
});

const web = { name: 'Production Web App', scopes: ['agents:read'] };

/** How many days a key lasts; undefined: for ever. */
function daysOf(key: Pick<Succession['apiKey'], 'createdAt' | 'expiresAt'>): number | undefined {
  if (key.expiresAt === null) return undefined;
  return (Date.parse(key.expiresAt) - Date.parse(key.createdAt)) / 86_400_000;
}

describe('Understanding API keys', () => {
  test('live keys look like sk_live_…, test keys like sk_test_…', async () => {
    const live = await ayra.create(account.member, { ...web, environment: 'LIVE' });
    const sandbox = await ayra.create(account.member, { ...web, environment: 'TEST' });
    expect(live.secret).toMatch(/^sk_live_[0-9A-Za-z]{39}$/);
    expect(sandbox.secret).toMatch(/^sk_test_[0-9A-Za-z]{39}$/);
  });
});

describe('Creating API keys', () => {
  test('name, environment, scopes and an expiration date are chosen', async () => {
    const key = await ayra.create(account.member, {
      name: 'Mobile App - iOS',
      environment: 'TEST',
      scopes: ['contacts:read', 'contacts:write'],
      expiresAt: '2100-04-15T00:00:00Z',
    });
    expect(key).toMatchObject({
      name: 'Mobile App - iOS',
      environment: 'TEST',
      scopes: ['contacts:read', 'contacts:write'],
      expiresAt: '2100-04-15T00:00:00.000Z',
    });
  });

  test('the new key is displayed exactly once; afterwards only sk_live_abc123...GHIJ', async () => {
    const { id, secret, redacted } = await ayra.create(account.member, web);
    expect(redacted).toBe(`${secret.slice(0, 14)}...${secret.slice(-4)}`);
    const { text } = await ayra.ask(
      account.member,
      'query ($id: ID!) { apiKey(id: $id) { redacted prefix name metadata } }',
      { id },
    );
    expect(text).toContain(redacted);
    expect(text).not.toContain(secret);
  });

  test.each([
    'Production Web Application',
    'Development Environment',
    'Mobile App - iOS',
    'Analytics Dashboard',
    "John's Dev Key",
    'Legacy Integration (Deprecated)',
  ])('"%s" is a good name', async (name) => {
    const { advice } = await ayra.create(account.member, { ...web, name });
    expect(advice.map(({ code }) => code)).not.toContain('POOR_NAME');
  });

  test.each(['Key 1', 'Test', 'New Key', 'API Key'])('"%s" is a poor name', async (name) => {
    const { advice } = await ayra.create(account.member, { ...web, name });
    expect(advice.map(({ code }) => code)).toContain('POOR_NAME');
  });
});

test('multiple people manage keys, and tell by their names which to revoke', async () => {
  const { id, secret } = await ayra.create(account.admin, { ...web, name: 'Johns old laptop' });
  const found = await ayra.list(account.member, { search: 'johns' });
  expect(found.map((key) => key.id)).toEqual([id]);
  await ayra.revoke(account.member, id, 'EMPLOYEE_DEPARTURE');
  expect((await ayra.use(secret)).status).toBe(401);
});

describe('API key permissions', () => {
  test('there are four read scopes, four write scopes and admin:full', async () => {
    const { data } = await ayra.ask<{ scopes: { name: string; group: string }[] }>(
      account.member,
      '{ scopes { name group } }',
    );
    expect(data.scopes.slice(0, 9).map(({ name, group }) => `${group} ${name}`)).toEqual([
      'READ agents:read',
      'READ conversations:read',
      'READ contacts:read',
      'READ analytics:read',
      'WRITE agents:write',
      'WRITE conversations:write',
      'WRITE contacts:write',
      'WRITE workflows:write',
      'ADMIN admin:full',
    ]);
  });

  test('a key can do only what its scopes allow', async () => {
    const { secret } = await ayra.create(account.member, {
      name: 'Analytics Dashboard',
      scopes: ['analytics:read', 'conversations:read'],
    });
    const { data } = await ayra.ask<{ viewer: { scopes: string[] } }>(
      secret,
      '{ viewer { scopes } }',
    );
    expect(data.viewer.scopes).toEqual(['analytics:read', 'conversations:read']);
    expect((await ayra.ask(secret, '{ apiKeys { totalCount } }')).status).toBe(403);
  });

  test('an integration can create contacts without being able to change agents', async () => {
    const scopes = ['contacts:write', 'contacts:read'];
    const { secret } = await ayra.create(account.member, { name: 'CRM integration', scopes });
    const { data } = await ayra.ask<{ viewer: { scopes: string[] } }>(
      secret,
      '{ viewer { scopes } }',
    );
    expect(data.viewer.scopes).toEqual(scopes);
    expect(data.viewer.scopes).not.toContain('agents:write');
  });

  test('a compromised limited key cannot make itself more powerful', async () => {
    const { secret } = await ayra.create(account.member, {
      name: 'Key maker',
      scopes: ['api_keys:write', 'contacts:read'],
    });
    const answer = await ayra.ask(
      secret,
      'mutation { createApiKey(input: { name: "More", scopes: ["agents:write"] }) { secret } }',
    );
    expect(refusalOf(answer)).toEqual({ code: 'POLICY_VIOLATION', rule: 'GRANT_SCOPES' });
  });

  test('admin:full has complete access', async () => {
    const { secret } = await ayra.create(account.admin, {
      name: 'Developer testing',
      scopes: ['admin:full'],
    });
    expect((await ayra.ask(secret, '{ apiKeys { totalCount } }')).status).toBe(200);
  });
});

describe('API key expiration', () => {
  test('an expired key automatically stops working', async () => {
    const { id, secret } = await ayra.create(account.member, { ...web, expiresIn: 'P30D' });
    await ayra.keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [id]);
    expect(await ayra.use(secret)).toEqual({ status: 401, reason: 'EXPIRED' });
  });

  test('no expiration and more than 365 days are discouraged', async () => {
    const never = await ayra.create(account.member, web);
    const long = await ayra.create(account.member, { ...web, expiresIn: 'P400D' });
    const quarter = await ayra.create(account.member, { ...web, expiresIn: 'P90D' });
    expect(never.advice.map(({ code }) => code)).toEqual(['NO_EXPIRATION']);
    expect(long.advice.map(({ code }) => code)).toEqual(['LONG_LIFETIME']);
    expect(quarter.advice).toEqual([]);
  });

  test.each([
    ['short-term', 'P7D'],
    ['medium-term', 'P90D'],
    ['long-term', 'P365D'],
  ])('a %s key lasts as long as it was given', async (_term, expiresIn) => {
    const key = await ayra.create(account.member, { ...web, expiresIn });
    expect(`P${String(daysOf(key))}D`).toBe(expiresIn);
  });

  test('a reminder comes before the key stops working', async () => {
    const { id } = await ayra.create(account.member, { ...web, expiresIn: 'P20D' });
    const key = (await ayra.list(account.member)).find((each) => each.id === id);
    expect(key?.advice.map(({ code }) => code)).toContain('EXPIRES_SOON');
  });
});

describe('Managing multiple API keys', () => {
  test('keys are organized by environment, application and permission', async () => {
    const { id } = await ayra.create(account.member, {
      ...web,
      environment: 'TEST',
      application: 'Analytics dashboard',
      tags: ['staging'],
    });
    for (const filter of [
      { environment: 'TEST' },
      { application: 'Analytics dashboard' },
      { tags: ['staging'] },
      { scopes: ['agents:read'] },
    ]) {
      expect((await ayra.list(account.member, filter)).map((key) => key.id)).toContain(id);
    }
  });

  test('the registry documents purpose, location, owner and last rotation', async () => {
    const old = await ayra.create(account.member, {
      ...web,
      description: 'Serves the shop',
      usageLocation: 'eu-west-1',
      owner: 'Web team',
    });
    const { apiKey } = await ayra.rotate(account.member, old.id);
    const { data } = await ayra.ask(
      account.member,
      `query ($id: ID!) { apiKey(id: $id) {
         description usageLocation owner rotation { lastRotatedAt predecessor { id } } } }`,
      { id: apiKey.id },
    );
    expect(data).toEqual({
      apiKey: {
        description: 'Serves the shop',
        usageLocation: 'eu-west-1',
        owner: 'Web team',
        rotation: { lastRotatedAt: expect.any(String) as unknown, predecessor: { id: old.id } },
      },
    });
  });
});

test('the key registry documents all of that about every key, for audits', async () => {
  const kept = { owner: 'Web team', usageLocation: 'eu-west-1', expiresIn: 'P90D' };
  const key = await ayra.create(account.member, {
    ...web,
    ...kept,
    description: 'Serves the shop',
  });
  const answer = await fetch(new URL('/registry.json', ayra.keyward.url), {
    headers: { authorization: `Bearer ${account.member}` },
  });
  const { name, redacted, createdAt, expiresAt, scopes } = key;
  expect(await answer.json()).toContainEqual({
    ...{ id: key.id, name, redacted, createdAt, expiresAt, scopes, lastRotatedAt: null },
    ...{ purpose: 'Serves the shop', usageLocation: 'eu-west-1', owner: 'Web team' },
    ...{ environment: 'LIVE', status: 'ACTIVE' },
  });
});

describe('Viewing and managing keys', () => {
  test('the dashboard shows name, key, environment, scopes, created, expires, last used, status', async () => {
    const created = await ayra.create(account.member, {
      name: 'Production Web App',
      scopes: ['agents:read', 'agents:write', 'conversations:read'],
      expiresIn: 'P90D',
    });
    await ayra.use(created.secret);
    const shown = (await ayra.list(account.member)).find(({ id }) => id === created.id);
    expect(shown).toMatchObject({
      name: 'Production Web App',
      redacted: created.redacted,
      environment: 'LIVE',
      scopes: ['agents:read', 'agents:write', 'conversations:read'],
      createdAt: created.createdAt,
      expiresAt: created.expiresAt,
      lastUsedAt: expect.any(String) as unknown,
      status: 'ACTIVE',
    });
  });

  test('View Details shows all about a key but not the complete key', async () => {
    const { id, secret } = await ayra.create(account.member, { ...web, owner: 'Web team' });
    const { data, text } = await ayra.ask(
      account.member,
      `query ($id: ID!) { apiKey(id: $id) { name environment scopes status createdAt owner tags
         metadata createdBy { displayName } rotation { retiresAt } advice { message } } }`,
      { id },
    );
    expect(data).toMatchObject({ apiKey: { owner: 'Web team', status: 'ACTIVE' } });
    expect(text).not.toContain(secret.slice(14, -4));
  });

  test('Regenerate creates a key with the same settings and stops the old one', async () => {
    const old = await ayra.create(account.member, {
      ...{ name: 'Production Web App', description: 'Serves the shop', environment: 'TEST' },
      ...{ scopes: ['agents:read', 'agents:write'], expiresIn: 'P90D' },
    });
    const { apiKey, secret } = await ayra.rotate(account.member, old.id, { gracePeriod: 'PT0S' });
    const { name, description, environment, scopes } = old;
    expect(apiKey).toMatchObject({ name, description, environment, scopes, status: 'ACTIVE' });
    expect(daysOf(apiKey)).toBe(daysOf(old));
    expect((await ayra.use(secret)).status).toBe(200);
    expect(await ayra.use(old.secret)).toEqual({ status: 401, reason: 'REVOKED' });
    const listed = (await ayra.list(account.member)).find(({ id }) => id === old.id);
    expect(listed?.status).toBe('REVOKED');
  });

  test('Edit creates a new key with the changes; the old one works until revoked', async () => {
    const old = await ayra.create(account.member, web);
    const { data } = await ayra.ask<{ replaceApiKey: Succession }>(
      account.member,
      `mutation ($input: ReplaceApiKeyInput!) { replaceApiKey(input: $input) {
         apiKey { id name scopes } secret } }`,
      { input: { id: old.id, name: 'Web App', scopes: ['agents:read', 'agents:write'] } },
    );
    const { apiKey, secret } = data.replaceApiKey;
    expect(apiKey).toMatchObject({ name: 'Web App', scopes: ['agents:read', 'agents:write'] });
    expect([(await ayra.use(old.secret)).status, (await ayra.use(secret)).status]).toEqual([
      200, 200,
    ]);
    await ayra.revoke(account.member, old.id, 'REPLACED');
    expect((await ayra.use(old.secret)).status).toBe(401);
    expect((await ayra.use(secret)).status).toBe(200);
  });

  test.each([
    ['an earlier expiration', { expiresIn: 'P30D' }, 30],
    ['a later expiration', { expiresIn: 'P180D' }, 180],
    ['no expiration', { neverExpires: true }, undefined],
  ])('Edit can give a key %s', async (_what, change, days) => {
    const { id } = await ayra.create(account.member, { ...web, expiresIn: 'P90D' });
    const { data } = await ayra.ask<{
      replaceApiKey: { apiKey: Succession['apiKey']; predecessor: Succession['apiKey'] };
    }>(
      account.member,
      `mutation ($input: ReplaceApiKeyInput!) { replaceApiKey(input: $input) {
         apiKey { name createdAt expiresAt } predecessor { createdAt expiresAt } } }`,
      { input: { id, ...change } },
    );
    const { apiKey, predecessor } = data.replaceApiKey;
    expect([apiKey.name, daysOf(apiKey), daysOf(predecessor)]).toEqual([web.name, days, 90]);
  });

  test('Revoke immediately disables the key', async () => {
    const { id, secret } = await ayra.create(account.member, web);
    await ayra.revoke(account.member, id);
    expect(await ayra.use(secret)).toEqual({ status: 401, reason: 'REVOKED' });
  });
});
