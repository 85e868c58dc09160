import fc from 'fast-check';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { adviseOn, maxAdvice, type KeyAdviceCode } from '../../src/keys/advice';
import { isPoorName } from '../../src/keys/poor-name';
import type { ApiKey } from '../../src/keys/api-key';
import { newApiKeyId, newOrganizationId } from '../../src/kernel/ids';
import { systemActor } from '../../src/kernel/actor';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { age, replace, rotate, tryKey } from '../support/successions';

let keyward: TestKeyward;
let ask: TestKeyward['ask'];
beforeAll(async () => {
  keyward = await startTestKeyward();
  ({ ask } = keyward);
});
afterAll(async () => keyward.stop());

interface Advice {
  readonly code: KeyAdviceCode;
  readonly message: string;
}

async function adviceOn(id: string): Promise<readonly Advice[]> {
  const { data } = await ask<{ apiKey: { advice: Advice[] } }>(
    'query ($id: ID!) { apiKey(id: $id) { advice { code message } } }',
    { id },
  );
  return data.apiKey.advice;
}

async function codesOn(id: string): Promise<readonly string[]> {
  return (await adviceOn(id)).map(({ code }) => code);
}

const good = { name: 'Production Web Application', expiresIn: 'P60D' };

test('a well-kept key gets no advice', async () => {
  expect(await adviceOn((await keyward.createKey(good)).id)).toEqual([]);
});

test.each([
  ['POOR_NAME', { name: 'Key 1' }],
  ['NO_EXPIRATION', { expiresIn: null }],
  ['LONG_LIFETIME', { expiresIn: 'P366D' }],
  ['FULL_ACCESS', { scopes: ['admin:full'] }],
  ['EXPIRES_SOON', { expiresIn: 'P30D' }],
])('the answer to a creation advises at once: %s', async (code, input) => {
  const { data } = await ask<{ createApiKey: { apiKey: { advice: Advice[] } } }>(
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { advice { code message } } } }',
    { input: { ...good, scopes: ['contacts:read'], ...input } },
  );
  const { advice } = data.createApiKey.apiKey;
  expect(advice.map((each) => each.code)).toEqual([code]);
  expect(advice[0]?.message).toMatch(/^It.* (Rename|Replace|rotate) /);
});

test('365 days are not too long', async () => {
  expect(await codesOn((await keyward.createKey({ ...good, expiresIn: 'P365D' })).id)).toEqual([]);
});

test('a key older than ninety days is due for rotation, and unused if it was not used since', async () => {
  const used = await keyward.createKey({ ...good, expiresIn: 'P365D' });
  const unused = await keyward.createKey({ ...good, expiresIn: 'P365D' });
  for (const { id } of [used, unused]) await age(keyward, id, '90 days 1 second');
  await tryKey(ask, used.secret);
  expect(await codesOn(used.id)).toEqual(['ROTATION_DUE']);
  expect(await codesOn(unused.id)).toEqual(['ROTATION_DUE', 'UNUSED']);
});

test('a rotated key is no longer due, and neither is its successor', async () => {
  const old = await keyward.createKey({ ...good, expiresIn: 'P365D' });
  await age(keyward, old.id, '91 days');
  await tryKey(ask, old.secret);
  const { apiKey } = await rotate(ask, { id: old.id });
  expect([await codesOn(old.id), await codesOn(apiKey.id)]).toEqual([[], []]);
});

test('an expired key is to be revoked, and nothing else; a revoked one is beyond advice', async () => {
  const { id } = await keyward.createKey({ name: 'Test', expiresIn: 'P60D' });
  await age(keyward, id, '60 days');
  expect(await codesOn(id)).toEqual(['EXPIRED_NOT_REVOKED']);
  await ask('mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: UNUSED }) { notice } }', {
    id,
  });
  expect(await codesOn(id)).toEqual([]);
});

test('a successor tells that its predecessor is still used, until that stops', async () => {
  const old = await keyward.createKey(good);
  await tryKey(ask, old.secret);
  const { apiKey, predecessor } = await replace(ask, { id: old.id });
  expect(await codesOn(apiKey.id)).toEqual([]);
  await tryKey(ask, old.secret);
  const [advice] = await adviceOn(apiKey.id);
  expect(advice?.code).toBe('PREDECESSOR_STILL_USED');
  expect(advice?.message).toContain(predecessor.redacted);
  await ask(
    'mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: REPLACED }) { notice } }',
    {
      id: old.id,
    },
  );
  expect(await codesOn(apiKey.id)).toEqual([]);
});

test('the largest page of keys may be asked for its advice and rotations', async () => {
  const { data, errors } = await ask<{ apiKeys: { nodes: { advice: Advice[] }[] } }>(
    '{ apiKeys(first: 200) { nodes { advice { code } rotation { requestsSinceSuccessor } } } }',
  );
  expect(errors).toEqual([]);
  expect(data.apiKeys.nodes.length).toBeGreaterThan(5);
});

test('full access is no matter of advice where all keys have it', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'keyward-product-')), 'product.json');
  writeFileSync(path, JSON.stringify({ keys: { permissions: 'full_access' } }));
  const simple = await startTestKeyward({ KEYWARD_CONFIG: path });
  try {
    const { data } = await simple.ask(
      'mutation { createApiKey(input: { name: "Nightly import", expiresIn: "P60D" }) { apiKey { scopes advice { code } } } }',
    );
    expect(data.createApiKey).toEqual({ apiKey: { scopes: ['admin:full'], advice: [] } });
  } finally {
    await simple.stop();
  }
});

test.each([
  ...['Key 1', 'Test', 'New Key', 'API Key', 'api-key', 'API_KEY_2', 'test key', 'My API key'],
  ...['newApiKey', 'TEST', 'Token', 'key', '1', '???', 'Untitled', 'asdf', 'Copy of API Key'],
])('a poor name: %s', (name) => {
  expect(isPoorName(name)).toBe(true);
});

test.each([
  ...['Production Web Application', 'Development Environment', 'Mobile App - iOS'],
  ...['Analytics Dashboard', "John's Dev Key", 'Legacy Integration (Deprecated)'],
  ...['CI/CD Pipeline', 'Schlüssel für Müller', '請求書', 'Test environment of the shop'],
])('a good name: %s', (name) => {
  expect(isPoorName(name)).toBe(false);
});

test('case, spacing and numbers never make a poor name good', () => {
  const poor = fc.constantFrom('Key', 'Test', 'New Key', 'API Key');
  fc.assert(
    fc.property(
      poor,
      fc.nat(),
      fc.boolean(),
      fc.constantFrom(' ', '-', '_'),
      (name, n, up, gap) => {
        const spelled = `${up ? name.toUpperCase() : name.toLowerCase()}${gap}${String(n)}`;
        return isPoorName(spelled.replaceAll(' ', gap));
      },
    ),
  );
});

test('no name makes its judge try one reading after the other', () => {
  const longest = fc.string({
    minLength: 90,
    maxLength: 100,
    unit: fc.constantFrom('x', 'a', 'test', 'keys', 'key'),
  });
  fc.assert(
    fc.property(longest, (name) => {
      // Exponentially many would take longer than the universe has; the limit only ends the test.
      runInNewContext('isPoorName(name)', { isPoorName, name: `${name}é` }, { timeout: 5000 });
    }),
    { endOnFailure: true },
  );
});

const dayMs = 24 * 60 * 60 * 1000;
const readAt = new Date('2026-06-01T00:00:00.000Z');

function someKey(): fc.Arbitrary<ApiKey> {
  const days = fc.integer({ min: 0, max: 800 });
  return fc
    .record({
      name: fc.constantFrom('Key 1', 'Payroll export'),
      status: fc.constantFrom('ACTIVE' as const, 'EXPIRED' as const, 'REVOKED' as const),
      ageDays: days,
      leftDays: fc.option(days),
      idleDays: fc.option(days),
      isSucceeded: fc.boolean(),
    })
    .map(({ name, status, ageDays, leftDays, idleDays, isSucceeded }) => {
      const createdAt = new Date(readAt.getTime() - ageDays * dayMs);
      const usedAt = new Date(readAt.getTime() - Math.min(idleDays ?? 0, ageDays) * dayMs);
      return {
        ...{ id: newApiKeyId(), organizationId: newOrganizationId(), name, status, createdAt },
        ...{ description: null, owner: null, application: null, usageLocation: null },
        ...{ tags: [], metadata: {}, environment: 'LIVE', scopes: [], createdBy: systemActor },
        ...{ prefix: 'sk_live_abc123', redacted: 'sk_live_abc123...GHIJ', revocation: null },
        expiresAt: leftDays === null ? null : new Date(readAt.getTime() + leftDays * dayMs),
        lastUsedAt: idleDays === null ? null : usedAt,
        ...{ predecessorId: null, retiresAt: null, readAt },
        successor: isSucceeded ? { id: newApiKeyId(), at: readAt } : null,
      };
    });
}

test('advice is never repeated, never more than is promised, and never about what cannot be helped', () => {
  fc.assert(
    fc.property(someKey(), fc.option(someKey()), fc.boolean(), (key, predecessor, isFull) => {
      const grounds = { predecessor, isAvoidableFullAccess: () => isFull };
      const codes = adviseOn(key, grounds).map(({ code }) => code);
      expect(new Set(codes).size).toBe(codes.length);
      expect(codes.length).toBeLessThanOrEqual(maxAdvice);
      if (key.status === 'REVOKED') expect(codes).toEqual([]);
      if (key.status === 'EXPIRED') expect(codes).toEqual(['EXPIRED_NOT_REVOKED']);
      if (key.successor !== null) expect(codes).not.toContain('ROTATION_DUE');
      expect(codes.includes('NO_EXPIRATION') && codes.includes('LONG_LIFETIME')).toBe(false);
    }),
  );
});
