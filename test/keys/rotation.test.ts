import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { age, rotate, see, tryKey, tryRotate } from '../support/successions';

let keyward: TestKeyward;
let ask: TestKeyward['ask'];
beforeAll(async () => {
  keyward = await startTestKeyward();
  ({ ask } = keyward);
});
afterAll(async () => keyward.stop());

const dayMs = 24 * 60 * 60 * 1000;

function daysAfter(instant: string, days: number): string {
  return new Date(new Date(instant).getTime() + days * dayMs).toISOString();
}

test('a rotated key and its successor both work for seven days unless told otherwise', async () => {
  const old = await keyward.createKey({
    ...{ name: 'Production Web Application', description: 'The shop', environment: 'TEST' },
    ...{ scopes: ['contacts:read', 'agents:read'], owner: 'Web team', tags: ['shop'] },
    ...{ metadata: { ticket: 'OPS-1' }, expiresIn: 'P90D' },
  });
  const before = await see(ask, old.id);
  const { apiKey, predecessor, secret } = await rotate(ask, { id: old.id });
  const { name, description, environment, scopes, owner, tags, metadata } = before;
  expect(apiKey).toMatchObject({
    ...{ name, description, environment, scopes, owner, tags, metadata },
    ...{ status: 'ACTIVE', revocation: null },
    expiresAt: daysAfter(apiKey.createdAt, 90),
    rotation: {
      ...{ predecessor: { id: old.id }, successor: null, retiresAt: null },
      lastRotatedAt: apiKey.createdAt,
      requestsSinceSuccessor: 0,
    },
  });
  expect(secret).toMatch(/^sk_test_/);
  expect(predecessor).toEqual({
    ...before,
    rotation: {
      ...{ predecessor: null, successor: { id: apiKey.id }, requestsSinceSuccessor: 0 },
      lastRotatedAt: apiKey.createdAt,
      retiresAt: daysAfter(apiKey.createdAt, 7),
    },
  });
  expect([await tryKey(ask, old.secret), await tryKey(ask, secret)]).toEqual(['in', 'in']);
});

test('grace ends at its instant, by the database’s clock, with no job: revoked as replaced, by whoever rotated', async () => {
  const old = await keyward.createKey();
  const { secret, apiKey } = await rotate(ask, { id: old.id, gracePeriod: 'PT12H' });
  await age(keyward, old.id, '12 hours');
  expect(await tryKey(ask, old.secret)).toBe('401 REVOKED');
  expect(await tryKey(ask, secret)).toBe('in');
  const { status, revocation, rotation } = await see(ask, old.id);
  expect(status).toBe('REVOKED');
  expect(revocation).toEqual({
    ...{ at: rotation.retiresAt, reason: 'REPLACED', note: null },
    by: { displayName: 'API Key: Admin key of the first start' },
  });
  const { data } = await ask<{ apiKeys: { nodes: { id: string }[] } }>(
    '{ apiKeys(filter: { status: [ACTIVE] }) { nodes { id } } }',
  );
  const active = data.apiKeys.nodes.map(({ id }) => id);
  expect(active).toContain(apiKey.id);
  expect(active).not.toContain(old.id);
});

test('with PT0S the old key has stopped by the time the answer is read', async () => {
  const old = await keyward.createKey();
  const { predecessor, apiKey, secret } = await rotate(ask, { id: old.id, gracePeriod: 'PT0S' });
  expect(predecessor).toMatchObject({
    status: 'REVOKED',
    revocation: { at: apiKey.createdAt, reason: 'REPLACED' },
  });
  expect([await tryKey(ask, old.secret), await tryKey(ask, secret)]).toEqual(['401 REVOKED', 'in']);
});

test('a kept predecessor works until someone revokes it', async () => {
  const old = await keyward.createKey();
  const { predecessor } = await rotate(ask, { id: old.id, keepPredecessor: true });
  expect(predecessor).toMatchObject({ status: 'ACTIVE', rotation: { retiresAt: null } });
  await age(keyward, old.id, '1000 days');
  expect(await tryKey(ask, old.secret)).toBe('in');
});

test('grace never reaches beyond the old key’s own expiry', async () => {
  const old = await keyward.createKey({ expiresIn: 'P3D' });
  const { predecessor } = await rotate(ask, { id: old.id, gracePeriod: 'P30D' });
  expect(predecessor.rotation.retiresAt).toBe(predecessor.expiresAt);
});

test.each([
  [{ expiresIn: 'P10D' }, 10],
  [{}, 30],
])(
  'the new end is what is asked for, else the old lifetime again from now: %j',
  async (input, days) => {
    const old = await keyward.createKey({ expiresIn: 'P30D' });
    await age(keyward, old.id, '20 days');
    const { apiKey } = await rotate(ask, { id: old.id, ...input });
    expect(apiKey.expiresAt).toBe(daysAfter(apiKey.createdAt, days));
  },
);

test('the successor of a key that never expires never expires', async () => {
  const old = await keyward.createKey();
  expect((await rotate(ask, { id: old.id })).apiKey.expiresAt).toBeNull();
});

test.each([
  ['input.keepPredecessor', { gracePeriod: 'P1D', keepPredecessor: true }],
  ['input.expiresIn', { expiresIn: 'P1D', expiresAt: '2999-01-01T00:00:00Z' }],
  ['input.expiresAt', { expiresAt: '2001-01-01T00:00:00Z' }],
  ['input.idempotencyKey', { idempotencyKey: '' }],
])('what contradicts itself is refused naming the member: %s', async (field, input) => {
  const { id } = await keyward.createKey();
  const { errors } = await tryRotate(ask, { id, ...input });
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  expect((await see(ask, id)).rotation.successor).toBeNull();
});

test('a key is rotated at most once: the second attempt gets CONFLICT naming the successor', async () => {
  const old = await keyward.createKey();
  const { apiKey } = await rotate(ask, { id: old.id });
  const { errors } = await tryRotate(ask, { id: old.id });
  expect(errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', successorId: apiKey.id });
  expect(errors[0]?.message).toContain(apiKey.id);
});

test('a key whose own predecessor is in grace can be rotated only with PT0S', async () => {
  const first = await keyward.createKey();
  const second = await rotate(ask, { id: first.id });
  for (const input of [{}, { gracePeriod: 'PT1S' }, { keepPredecessor: true }]) {
    const { errors } = await tryRotate(ask, { id: second.apiKey.id, ...input });
    expect(errors[0]?.extensions).toMatchObject({
      ...{ code: 'POLICY_VIOLATION', rule: 'PREDECESSOR_IN_GRACE', predecessorId: first.id },
    });
  }
  await rotate(ask, { id: second.apiKey.id, gracePeriod: 'PT0S' });
  expect(await tryKey(ask, first.secret)).toBe('in');
});

test('nor does rotating with PT0S in between leave room for a third key that works', async () => {
  const first = await keyward.createKey();
  const second = await rotate(ask, { id: first.id });
  const third = await rotate(ask, { id: second.apiKey.id, gracePeriod: 'PT0S' });
  const fourth = await rotate(ask, { id: third.apiKey.id, gracePeriod: 'PT0S' });
  const { errors } = await tryRotate(ask, { id: fourth.apiKey.id });
  expect(errors[0]?.extensions).toMatchObject({
    ...{ rule: 'PREDECESSOR_IN_GRACE', predecessorId: first.id },
  });
  await age(keyward, first.id, '7 days');
  await rotate(ask, { id: fourth.apiKey.id });
});

test('once the predecessor’s grace is over, rotation with grace is possible again', async () => {
  const first = await keyward.createKey();
  const second = await rotate(ask, { id: first.id });
  await age(keyward, first.id, '7 days');
  await rotate(ask, { id: second.apiKey.id });
});

test('expired and revoked keys cannot be rotated', async () => {
  const expired = await keyward.createKey({ expiresIn: 'P1D' });
  await age(keyward, expired.id, '1 day');
  const revoked = await keyward.createKey();
  await ask('mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: UNUSED }) { notice } }', {
    id: revoked.id,
  });
  for (const [{ id }, status] of [
    [expired, 'EXPIRED'],
    [revoked, 'REVOKED'],
  ] as const) {
    const { errors } = await tryRotate(ask, { id });
    expect(errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', status });
  }
});

test('a retry with the same idempotency key answers with the same successor and no secret', async () => {
  const old = await keyward.createKey();
  const input = { id: old.id, gracePeriod: 'PT0S', idempotencyKey: 'rotation-1' };
  const first = await rotate(ask, input);
  const { data, errors } = await tryRotate(ask, input);
  expect(errors).toEqual([]);
  expect(data.rotateApiKey.secret).toBeNull();
  expect(data.rotateApiKey.apiKey).toEqual(first.apiKey);
  expect(data.rotateApiKey.predecessor).toEqual(first.predecessor);
});

test('an idempotency key of another rotation, or of another operation, is CONFLICT', async () => {
  const [one, two] = [await keyward.createKey(), await keyward.createKey()];
  await rotate(ask, { id: one.id, idempotencyKey: 'rotation-2' });
  for (const input of [{ id: two.id }, { id: one.id, gracePeriod: 'PT0S' }]) {
    const { errors } = await tryRotate(ask, { ...input, idempotencyKey: 'rotation-2' });
    expect(errors[0]?.extensions).toMatchObject({
      ...{ code: 'CONFLICT', field: 'input.idempotencyKey' },
    });
  }
});

test('the audit trail says of the old key that it was rotated and of the new one where it comes from', async () => {
  const old = await keyward.createKey({ name: 'CI/CD Pipeline' });
  const { apiKey, predecessor } = await rotate(ask, { id: old.id });
  const trail = `{ auditEvents(first: 2) { nodes { action targetId targetName changes } } }`;
  const { data } = await ask(trail);
  expect(data.auditEvents).toMatchObject({
    nodes: [
      {
        ...{ action: 'api_key.rotated', targetId: old.id, targetName: 'CI/CD Pipeline' },
        changes: {
          successor: { from: null, to: apiKey.id },
          retiresAt: { from: null, to: predecessor.rotation.retiresAt },
        },
      },
      {
        ...{ action: 'api_key.created', targetId: apiKey.id },
        changes: { predecessor: { from: null, to: old.id } },
      },
    ],
  });
});

test('a key with a successor hears of it in a header of every answer', async () => {
  const old = await keyward.createKey();
  const headers = async (): Promise<string | null> =>
    (await ask('{ viewer { kind } }', {}, { key: old.secret })).headers.get(
      'keyward-key-superseded',
    );
  expect(await headers()).toBeNull();
  const { apiKey } = await rotate(ask, { id: old.id });
  expect(await headers()).toBe(apiKey.id);
});

test('a rotated key counts what came in with it since, refused or not, and nothing else', async () => {
  const old = await keyward.createKey();
  const count = async (id: string): Promise<number> =>
    (await see(ask, id)).rotation.requestsSinceSuccessor;
  await tryKey(ask, old.secret);
  const { apiKey, secret } = await rotate(ask, { id: old.id });
  expect(await count(old.id)).toBe(0);
  await tryKey(ask, old.secret);
  await ask('{ apiKeys { totalCount } }', {}, { key: old.secret }); // a scope is missing
  await tryKey(ask, secret);
  expect([await count(old.id), await count(apiKey.id)]).toEqual([2, 0]);
  await keyward.database.sql('UPDATE api_keys SET retires_at = succeeded_at WHERE id = $1', [
    old.id,
  ]);
  expect(await tryKey(ask, old.secret)).toBe('401 REVOKED');
  expect(await count(old.id)).toBe(3);
});

test('what came in during later hours than that of the rotation is counted, too', async () => {
  const old = await keyward.createKey();
  await tryKey(ask, old.secret);
  await rotate(ask, { id: old.id });
  await tryKey(ask, old.secret);
  await age(keyward, old.id, '2 hours'); // now both requests came after it
  expect((await see(ask, old.id)).rotation.requestsSinceSuccessor).toBe(2);
});

test('who may not read keys sees neither successor nor predecessor', async () => {
  const old = await keyward.createKey({ scopes: ['contacts:read'] });
  await rotate(ask, { id: old.id });
  const query = '{ viewer { apiKey { rotation { retiresAt successor { id name } } } } }';
  const { body, errors } = await ask(query, {}, { key: old.secret });
  expect(body.data).toMatchObject({ viewer: { apiKey: { rotation: { successor: null } } } });
  expect(errors[0]?.extensions.reason).toBe('INSUFFICIENT_SCOPE');
});
