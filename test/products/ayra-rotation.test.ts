import { accountOf, type Account } from './people';
import { startProduct, type Product, type Succession } from './product';

// Ayra's help page, "Understanding and Managing API Keys", from rotation on.

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

describe('Rotating API keys', () => {
  test('both keys work during the transition, for seven days unless told', async () => {
    const old = await ayra.create(account.member, web);
    const { secret } = await ayra.rotate(account.member, old.id);
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
    await ayra.rotate(account.member, old.id);
    await ayra.keyward.database.sql('UPDATE api_keys SET retires_at = now() WHERE id = $1', [
      old.id,
    ]);
    expect(await ayra.use(old.secret)).toEqual({ status: 401, reason: 'REVOKED' });
  });

  test('systems that still use the old key are seen', async () => {
    const old = await ayra.create(account.member, web);
    await ayra.rotate(account.member, old.id);
    await ayra.use(old.secret);
    await ayra.use(old.secret);
    const { data } = await ayra.ask(
      account.member,
      'query ($id: ID!) { apiKey(id: $id) { rotation { requestsSinceSuccessor } } }',
      { id: old.id },
    );
    expect(data).toEqual({ apiKey: { rotation: { requestsSinceSuccessor: 2 } } });
  });

  test('day 8: once nothing uses the old key, it is revoked', async () => {
    const old = await ayra.create(account.member, web);
    const { secret } = await ayra.rotate(account.member, old.id, { keepPredecessor: true });
    await ayra.use(secret);
    const { data } = await ayra.ask(
      account.member,
      'query ($id: ID!) { apiKey(id: $id) { status rotation { requestsSinceSuccessor } } }',
      { id: old.id },
    );
    expect(data).toEqual({ apiKey: { status: 'ACTIVE', rotation: { requestsSinceSuccessor: 0 } } });
    await ayra.revoke(account.member, old.id, 'REPLACED');
    expect((await ayra.use(old.secret)).status).toBe(401);
    expect((await ayra.use(secret)).status).toBe(200);
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
  test('the compromised key is revoked, a replacement generated, and the review finds why', async () => {
    const { id, secret } = await ayra.create(account.member, web);
    const note = 'Found in a public repository';
    await ayra.ask(
      account.member,
      'mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { id } } }',
      { input: { id, reason: 'COMPROMISED', note } },
    );
    const replacement = await ayra.create(account.member, web);
    expect(await ayra.use(secret)).toEqual({ status: 401, reason: 'REVOKED' });
    expect((await ayra.use(replacement.secret)).status).toBe(200);
    const { text } = await ayra.ask(
      account.admin,
      `query ($id: ID!) { auditEvents(filter: { targetId: $id, actions: ["api_key.revoked"] }) {
         nodes { changes } } }`,
      { id },
    );
    expect(text).toContain('COMPROMISED');
    expect(text).toContain(note);
  });

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
});
