import { accountOf, type Account } from './people';
import { startProduct, type ListedKey, type Product } from './product';

// Ayra's help page, "Understanding and Managing API Keys", sentence by sentence.

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

interface Succession {
  readonly apiKey: ListedKey;
  readonly secret: string;
}

async function rotate(id: string, more: Record<string, unknown> = {}): Promise<Succession> {
  const { data } = await ayra.ask<{ rotateApiKey: Succession }>(
    account.member,
    `mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) {
       apiKey { id name environment scopes status } secret } }`,
    { input: { id, ...more } },
  );
  return data.rotateApiKey;
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
    const { apiKey } = await rotate(old.id);
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

describe('Viewing and managing keys', () => {
  test('Regenerate creates a key with the same settings and stops the old one', async () => {
    const old = await ayra.create(account.member, web);
    const { apiKey, secret } = await rotate(old.id, { gracePeriod: 'PT0S' });
    expect(apiKey).toMatchObject({ name: web.name, scopes: web.scopes, status: 'ACTIVE' });
    expect((await ayra.use(secret)).status).toBe(200);
    expect(await ayra.use(old.secret)).toEqual({ status: 401, reason: 'REVOKED' });
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

  test('Revoke immediately disables the key', async () => {
    const { id, secret } = await ayra.create(account.member, web);
    await ayra.revoke(account.member, id);
    expect(await ayra.use(secret)).toEqual({ status: 401, reason: 'REVOKED' });
  });
});

describe('Rotating API keys', () => {
  test('both keys work during the transition, for seven days unless told', async () => {
    const old = await ayra.create(account.member, web);
    const { secret } = await rotate(old.id);
    expect([(await ayra.use(old.secret)).status, (await ayra.use(secret)).status]).toEqual([
      200, 200,
    ]);
    const { data } = await ayra.ask<{ apiKey: { rotation: { retiresAt: string } } }>(
      account.member,
      'query ($id: ID!) { apiKey(id: $id) { rotation { retiresAt } } }',
      { id: old.id },
    );
    const days = (Date.parse(data.apiKey.rotation.retiresAt) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThanOrEqual(7);
  });

  test('the old key is automatically revoked after the grace period', async () => {
    const old = await ayra.create(account.member, web);
    await rotate(old.id);
    await ayra.keyward.database.sql('UPDATE api_keys SET retires_at = now() WHERE id = $1', [
      old.id,
    ]);
    expect(await ayra.use(old.secret)).toEqual({ status: 401, reason: 'REVOKED' });
  });

  test('systems that still use the old key are seen', async () => {
    const old = await ayra.create(account.member, web);
    await rotate(old.id);
    await ayra.use(old.secret);
    await ayra.use(old.secret);
    const { data } = await ayra.ask(
      account.member,
      'query ($id: ID!) { apiKey(id: $id) { rotation { requestsSinceSuccessor } } }',
      { id: old.id },
    );
    expect(data).toEqual({ apiKey: { rotation: { requestsSinceSuccessor: 2 } } });
  });

  test('a script can do it all through the API', async () => {
    const script = await ayra.create(account.member, {
      name: 'Rotation script',
      scopes: ['api_keys:read', 'api_keys:write', 'agents:read'],
    });
    const old = await ayra.create(account.member, web);
    const { data } = await ayra.ask<{ rotateApiKey: Succession }>(
      script.secret,
      'mutation ($id: ID!) { rotateApiKey(input: { id: $id, gracePeriod: "P7D" }) { secret } }',
      { id: old.id },
    );
    expect((await ayra.use(data.rotateApiKey.secret)).status).toBe(200);
  });
});

describe('Revoking API keys', () => {
  test.each(['COMPROMISED', 'REPLACED', 'UNUSED', 'EMPLOYEE_DEPARTURE', 'PROJECT_ENDED'])(
    'the reason is tracked: %s',
    async (reason) => {
      const { id } = await ayra.create(account.member, web);
      await ayra.revoke(account.member, id, reason);
      const { data } = await ayra.ask(
        account.member,
        'query ($id: ID!) { apiKey(id: $id) { revocation { reason by { displayName } } } }',
        { id },
      );
      expect(data).toEqual({
        apiKey: { revocation: { reason, by: { displayName: account.memberName } } },
      });
    },
  );

  test('revocation is irreversible', async () => {
    const { id, secret } = await ayra.create(account.member, web);
    await ayra.revoke(account.member, id, 'COMPROMISED');
    const { errors } = await ayra.ask(
      account.member,
      'mutation ($id: ID!) { rotateApiKey(input: { id: $id }) { secret } }',
      { id },
    );
    expect(errors[0]?.extensions.code).toBe('CONFLICT');
    expect((await ayra.use(secret)).status).toBe(401);
  });
});

describe('API key security incidents', () => {
  test('all keys of someone can be revoked at once, after a look at which they are', async () => {
    const owner = 'Contractor';
    const keys = [
      await ayra.create(account.member, { ...web, owner }),
      await ayra.create(account.member, { ...web, owner }),
    ];
    const bulk = async (dryRun: boolean): Promise<unknown> => {
      const { data } = await ayra.ask<{ revokeApiKeys: { count: number } }>(
        account.member,
        `mutation ($input: RevokeApiKeysInput!) { revokeApiKeys(input: $input) { count } }`,
        { input: { filter: { owner }, reason: 'COMPROMISED', dryRun } },
      );
      return data.revokeApiKeys.count;
    };
    expect(await bulk(true)).toBe(2);
    for (const { secret } of keys) expect((await ayra.use(secret)).status).toBe(200);
    expect(await bulk(false)).toBe(2);
    for (const { secret } of keys) expect((await ayra.use(secret)).status).toBe(401);
  });

  test('suspicious calls have request ids that support can look up', async () => {
    const { secret } = await ayra.create(account.member, web);
    const { headers } = await ayra.ask(secret, '{ viewer { kind } }');
    const rows = await ayra.keyward.database.sql<{ ip: string }>(
      'SELECT ip FROM api_key_requests WHERE request_id = $1',
      [headers.get('x-request-id')],
    );
    expect(rows).toHaveLength(1);
  });
});
