import { created, createApiKey, listed, refusal, startProduct, tryKey } from '../support/api-keys';
import { graphql } from '../support/http';
import type { TestKeyward } from '../support/keyward';

const days = (count: number): number => count * 86_400_000;

/** Runs a test against a product of its own, whose admin key never expires. */
async function withProduct(
  product: Readonly<Record<string, unknown>>,
  work: (keyward: TestKeyward) => Promise<void>,
): Promise<void> {
  const keyward = await startProduct(product);
  try {
    await keyward.database.sql('UPDATE api_keys SET expires_at = NULL');
    await work(keyward);
  } finally {
    await keyward.stop();
  }
}

function lifetimeOf({ createdAt, expiresAt }: { createdAt: string; expiresAt: string | null }) {
  return Date.parse(String(expiresAt)) - Date.parse(createdAt);
}

test('maxLifetime: a key may last as long and no longer, and must end', async () => {
  await withProduct({ keys: { maxLifetime: 'P90D' } }, async (keyward) => {
    const { apiKey } = await created(keyward, { expiresIn: 'P90D' });
    expect(lifetimeOf(apiKey)).toBe(days(90));
    const longer = await createApiKey(keyward, { expiresIn: 'P90DT0.001S' });
    expect(refusal(longer)).toEqual({ code: 'POLICY_VIOLATION', rule: 'MAX_LIFETIME' });
    const { latestExpiresAt } = longer.errors[0]?.extensions ?? {};
    const next = await createApiKey(keyward, { expiresAt: latestExpiresAt });
    expect(next.errors).toEqual([]);
    expect(refusal(await createApiKey(keyward))).toEqual({
      code: 'POLICY_VIOLATION',
      rule: 'EXPIRATION_REQUIRED',
    });
  });
});

test('expirationRequired: a key without an end is refused', async () => {
  await withProduct({ keys: { expirationRequired: true } }, async (keyward) => {
    expect(refusal(await createApiKey(keyward))).toEqual({
      code: 'POLICY_VIOLATION',
      rule: 'EXPIRATION_REQUIRED',
    });
    expect((await createApiKey(keyward, { expiresIn: 'P100Y' })).errors).toEqual([]);
  });
});

test('defaultExpiresIn: a key created without an end gets that one', async () => {
  await withProduct(
    { keys: { defaultExpiresIn: 'P30D', expirationRequired: true } },
    async (keyward) => {
      expect(lifetimeOf((await created(keyward)).apiKey)).toBe(days(30));
      expect(lifetimeOf((await created(keyward, { expiresIn: 'P1D' })).apiKey)).toBe(days(1));
    },
  );
});

test('maxActiveKeys: of twenty concurrent creations as many succeed as there is room', async () => {
  await withProduct({ keys: { maxActiveKeys: 16 } }, async (keyward) => {
    // Changes by one key take turns anyway, so ten ask.
    const askers: string[] = [];
    while (askers.length < 10) {
      askers.push((await created(keyward, { scopes: ['admin:full'] })).secret);
    }
    const answers = await Promise.all(
      [...askers, ...askers].map((key) => createApiKey(keyward, {}, { key })),
    );
    const refused = answers.filter(({ errors }) => errors.length > 0);
    expect(refused).toHaveLength(15); // the admin key and the ten left room for five
    for (const answer of refused) {
      expect(refusal(answer)).toEqual({ code: 'POLICY_VIOLATION', rule: 'MAX_ACTIVE_KEYS' });
    }
    expect((await listed(keyward)).totalCount).toBe(16);
  });
});

test('maxActiveKeys: revoked and expired keys make room', async () => {
  await withProduct({ keys: { maxActiveKeys: 3 } }, async (keyward) => {
    const first = await created(keyward);
    const second = await created(keyward);
    expect(refusal(await createApiKey(keyward))).toMatchObject({ rule: 'MAX_ACTIVE_KEYS' });
    await keyward.ask(
      'mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: UNUSED }) { apiKey { id } } }',
      { id: first.apiKey.id },
    );
    await created(keyward);
    expect(refusal(await createApiKey(keyward))).toMatchObject({ rule: 'MAX_ACTIVE_KEYS' });
    await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [
      second.apiKey.id,
    ]);
    await created(keyward);
  });
});

test('environments: a product without TEST keys refuses them; its keys need not show LIVE', async () => {
  await withProduct(
    { keys: { prefix: 'eg', environments: ['LIVE'], showEnvironment: false } },
    async (keyward) => {
      expect(keyward.adminKey).toMatch(/^eg_[0-9A-Za-z]{39}$/);
      const { apiKey, secret } = await created(keyward);
      expect(secret).toMatch(/^eg_[0-9A-Za-z]{39}$/);
      expect(apiKey).toMatchObject({ environment: 'LIVE', prefix: secret.slice(0, 9) });
      expect(apiKey.redacted).toBe(`${secret.slice(0, 9)}...${secret.slice(-4)}`);
      expect(await tryKey(keyward, secret)).toBe('VALID');
      expect(refusal(await createApiKey(keyward, { environment: 'TEST' }))).toEqual({
        code: 'BAD_USER_INPUT',
        field: 'input.environment',
      });
    },
  );
});

test('permissions: where all keys have full access none need be chosen', async () => {
  await withProduct({ keys: { permissions: 'full_access' } }, async (keyward) => {
    const { apiKey, secret } = await created(keyward, { scopes: undefined });
    expect(apiKey.scopes).toEqual(['admin:full']);
    const { data } = await keyward.ask<{ viewer: { scopes: string[] } }>(
      '{ viewer { scopes } }',
      {},
      { key: secret },
    );
    expect(data.viewer.scopes).toEqual(
      expect.arrayContaining(['contacts:write', 'audit_logs:read']),
    );
    expect((await createApiKey(keyward, { scopes: undefined }, { key: secret })).errors).toEqual(
      [],
    );
    // Those of one's own services need less.
    const verifier = await created(keyward, { scopes: ['api_keys:verify'] });
    expect(verifier.apiKey.scopes).toEqual(['api_keys:verify']);
  });
});

test('prefix: keys issued under an earlier prefix keep working', async () => {
  const keyward = await startProduct({ keys: { prefix: 'old' } });
  try {
    const replica = await keyward.startReplica({ KEYWARD_CONFIG: '' });
    const { data } = await graphql<{ createApiKey: { secret: string } }>(
      replica.graphqlUrl,
      {
        query: `mutation {
          createApiKey(input: { name: "n", scopes: ["contacts:read"] }) { secret }
        }`,
      },
      { key: keyward.adminKey },
    );
    expect(keyward.adminKey).toMatch(/^old_live_/);
    expect(data.createApiKey.secret).toMatch(/^sk_live_/);
    expect(await tryKey(keyward, data.createApiKey.secret)).toBe('VALID');
  } finally {
    await keyward.stop();
  }
});

test('scopes: the product’s catalogue comes first, then Keyward’s own', async () => {
  const scopes = [
    { name: 'dogs:walk', title: 'Walk dogs', description: 'Walks.', group: 'WRITE' },
    { name: 'everything', title: 'All', description: 'All of it.', group: 'ADMIN' },
  ];
  await withProduct({ scopes, fullAccessScope: 'everything' }, async (keyward) => {
    const { data } = await keyward.ask<{ scopes: { name: string }[] }>(
      '{ scopes { name title description group } }',
    );
    expect(data.scopes.slice(0, 2)).toEqual(scopes);
    expect(data.scopes.slice(2).map(({ name }) => name)).toEqual([
      ...['api_keys:read', 'api_keys:write', 'api_keys:verify'],
      ...['audit_logs:read', 'analytics:read', 'organization:write'],
    ]);
    expect((await created(keyward, { scopes: ['dogs:walk'] })).apiKey.scopes).toEqual([
      'dogs:walk',
    ]);
    expect(refusal(await createApiKey(keyward))).toEqual({
      code: 'BAD_USER_INPUT',
      field: 'input.scopes.0', // contacts:read is another product's
    });
  });
});
