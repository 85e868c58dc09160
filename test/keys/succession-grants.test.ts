import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graphql } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';
import { age, rotate, see, tryReplace, tryRotate } from '../support/successions';

let keyward: TestKeyward;
let ask: TestKeyward['ask'];
beforeAll(async () => {
  keyward = await startTestKeyward();
  ({ ask } = keyward);
});
afterAll(async () => keyward.stop());

const attempts = [
  ['rotates', tryRotate],
  ['replaces', tryReplace],
] as const;

describe.each(attempts)('nobody %s their way', (_, attempt) => {
  async function refusal(id: string, key: string, input: object = {}): Promise<object | undefined> {
    const { errors } = await attempt(ask, { id, ...input }, { key });
    expect((await see(ask, id)).rotation.successor).toBeNull();
    return errors[0]?.extensions;
  }

  test('to scopes they do not hold', async () => {
    const rich = await keyward.createKey({ scopes: ['contacts:read', 'contacts:write'] });
    const poor = await keyward.createKey({ scopes: ['api_keys:write', 'contacts:read'] });
    expect(await refusal(rich.id, poor.secret)).toMatchObject({
      ...{ code: 'POLICY_VIOLATION', rule: 'GRANT_SCOPES', missingScopes: ['contacts:write'] },
    });
  });

  test('to full access', async () => {
    const full = await keyward.createKey({ scopes: ['admin:full'] });
    const { data } = await ask<{ scopes: { name: string }[] }>('{ scopes { name } }');
    const scopes = data.scopes.map(({ name }) => name).filter((name) => name !== 'admin:full');
    const nearly = await keyward.createKey({ scopes });
    expect(await refusal(full.id, nearly.secret)).toMatchObject({ rule: 'GRANT_SCOPES' });
  });

  test('from TEST to LIVE', async () => {
    const live = await keyward.createKey();
    const tester = await keyward.createKey({ scopes: ['admin:full'], environment: 'TEST' });
    expect(await refusal(live.id, tester.secret)).toMatchObject({ rule: 'GRANT_ENVIRONMENT' });
  });

  test('to a lifetime beyond their own, be it by another key or by themselves', async () => {
    const lasting = await keyward.createKey();
    const brief = await keyward.createKey({ scopes: ['admin:full'], expiresIn: 'P1D' });
    await age(keyward, brief.id, '1 hour');
    for (const [id, input] of [
      [lasting.id, {}],
      [brief.id, { expiresIn: 'P1D' }],
    ] as const) {
      expect(await refusal(id, brief.secret, input)).toMatchObject({ rule: 'GRANT_EXPIRY' });
    }
    const { errors } = await attempt(
      ask,
      { id: brief.id, expiresIn: 'PT22H' },
      { key: brief.secret },
    );
    expect(errors).toEqual([]);
  });

  test('to a key of another organization: it is not found', async () => {
    const elsewhere = await createOrganization(keyward, `Elsewhere ${attempt.name}`);
    const foreign = await elsewhere.createKey();
    const mine = await keyward.createKey();
    const there = await attempt(ask, { id: mine.id }, { key: foreign.secret });
    const missing = await attempt(ask, { id: 'no id at all' });
    for (const { errors } of [there, missing]) {
      expect(errors[0]?.extensions.code).toBe('NOT_FOUND');
    }
  });

  test('without api_keys:write', async () => {
    const reader = await keyward.createKey({ scopes: ['api_keys:read', 'contacts:read'] });
    const { id } = await keyward.createKey();
    expect(await refusal(id, reader.secret)).toMatchObject({ reason: 'INSUFFICIENT_SCOPE' });
  });
});

test('a key that expires may replace itself, which keeps its end, but not rotate itself to its lifetime again', async () => {
  const brief = await keyward.createKey({ scopes: ['admin:full'], expiresIn: 'P1D' });
  await age(keyward, brief.id, '1 hour');
  const own = { key: brief.secret };
  const rotated = await tryRotate(ask, { id: brief.id }, own);
  expect(rotated.errors[0]?.extensions.rule).toBe('GRANT_EXPIRY');
  const { expiresAt } = await see(ask, brief.id);
  const { data } = await tryReplace(ask, { id: brief.id, name: 'Corrected name' }, own);
  expect(data.replaceApiKey.apiKey.expiresAt).toBe(expiresAt);
});

test('who replaces a key by a lesser one needs only what the new one can do', async () => {
  const full = await keyward.createKey({ scopes: ['admin:full'] });
  const poor = await keyward.createKey({ scopes: ['api_keys:write', 'contacts:read'] });
  const input = { id: full.id, scopes: ['contacts:read'] };
  const { errors } = await tryReplace(ask, input, { key: poor.secret });
  expect(errors).toEqual([]);
});

describe('of a key whose scope the product has no longer', () => {
  const scopes = [...['contacts:read', 'legacy:read'], 'admin:full'].map((name) => ({
    ...{ name, title: name, description: 'For the test.', group: 'READ' },
  }));
  let product: TestKeyward;
  beforeAll(async () => {
    product = await startTestKeyward({ KEYWARD_CONFIG: writeProduct({ scopes }) });
  });
  afterAll(async () => product.stop());

  /** A server on the same keys, after the product's configuration has changed. */
  async function later(changes: object): Promise<TestKeyward['ask']> {
    const left = scopes.filter(({ name }) => name !== 'legacy:read');
    const KEYWARD_CONFIG = writeProduct({ scopes: left, ...changes });
    const { graphqlUrl } = await product.startReplica({ KEYWARD_CONFIG });
    return async (query, variables, asked) =>
      graphql(graphqlUrl, { query, variables }, { key: product.adminKey, ...asked });
  }

  const old = ['contacts:read', 'legacy:read'];

  test('full access rotates and edits it as ever, and what it may do is the same', async () => {
    const { id } = await product.createKey({ scopes: old });
    const now = await later({});
    const { apiKey } = await rotate(now, { id, gracePeriod: 'PT0S' });
    expect(apiKey.scopes).toEqual(old);
    const { data } = await tryReplace(now, { id: apiKey.id, name: 'Corrected name' });
    expect(data.replaceApiKey.apiKey).toMatchObject({ name: 'Corrected name', scopes: old });
  });

  test('whoever cannot is told the way out, and goes it', async () => {
    const { id } = await product.createKey({ scopes: old });
    const { secret: key } = await product.createKey({
      scopes: ['api_keys:write', 'contacts:read'],
    });
    for (const changes of [{}, { fullAccessScope: null }]) {
      const { errors } = await tryRotate(await later(changes), { id }, { key });
      expect(errors[0]).toMatchObject({
        message: expect.stringMatching(/no longer has legacy:read: replaceApiKey with/) as string,
        extensions: { rule: 'GRANT_SCOPES', missingScopes: ['legacy:read'] },
      });
    }
    const input = { id, scopes: ['contacts:read'] };
    const { data } = await tryReplace(await later({}), input, { key });
    expect(data.replaceApiKey.apiKey.scopes).toEqual(['contacts:read']);
  });
});

function writeProduct(product: object): string {
  const path = join(mkdtempSync(join(tmpdir(), 'keyward-product-')), 'product.json');
  writeFileSync(path, JSON.stringify(product));
  return path;
}

describe('with a policy on keys', () => {
  let strict: TestKeyward;
  beforeAll(async () => {
    const keys = { maxLifetime: 'P1M', maxActiveKeys: 3, rotationGrace: 'P2D' };
    strict = await startTestKeyward({ KEYWARD_CONFIG: writeProduct({ keys }) });
  });
  afterAll(async () => strict.stop());

  test('rotation obeys the longest lifetime, and takes no place beside its predecessor that retires in time', async () => {
    const { id } = await strict.createKey({ expiresIn: 'P20D' });
    await strict.createKey({ expiresIn: 'P1D' }); // now there are three
    const create = await strict.ask(
      'mutation { createApiKey(input: { name: "Fourth", scopes: ["contacts:read"], expiresIn: "P1D" }) { secret } }',
    );
    expect(create.errors[0]?.extensions.rule).toBe('MAX_ACTIVE_KEYS');
    const refusals: [object, string][] = [
      [{ expiresIn: 'P32D' }, 'MAX_LIFETIME'],
      [{ keepPredecessor: true }, 'MAX_ACTIVE_KEYS'],
      [{ gracePeriod: 'P3D' }, 'MAX_ACTIVE_KEYS'],
    ];
    for (const [input, rule] of refusals) {
      const { errors } = await tryRotate(strict.ask, { id, ...input });
      expect(errors[0]?.extensions).toMatchObject({ code: 'POLICY_VIOLATION', rule });
    }
    const replaced = await tryReplace(strict.ask, { id, neverExpires: true });
    expect(replaced.errors[0]?.extensions.rule).toBe('EXPIRATION_REQUIRED');
    const { apiKey, predecessor } = await rotate(strict.ask, { id });
    // Nor is grace and PT0S in turn a way past the limit.
    const next = await rotate(strict.ask, { id: apiKey.id, gracePeriod: 'PT0S' });
    const { errors } = await tryRotate(strict.ask, { id: next.apiKey.id });
    expect(errors[0]?.extensions.rule).toBe('PREDECESSOR_IN_GRACE');
    const retires = new Date(String(predecessor.rotation.retiresAt));
    expect(retires.getTime() - new Date(apiKey.createdAt).getTime()).toBe(2 * 86_400_000);
  });
});
