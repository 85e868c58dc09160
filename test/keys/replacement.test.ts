import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { age, replace, rotate, see, tryKey, tryReplace, tryRotate } from '../support/successions';

let keyward: TestKeyward;
let ask: TestKeyward['ask'];
beforeAll(async () => {
  keyward = await startTestKeyward();
  ({ ask } = keyward);
});
afterAll(async () => keyward.stop());

test('a replacement takes over what is left out, and the old key works until someone revokes it', async () => {
  const old = await keyward.createKey({
    ...{ name: 'Mobile App - iOS', description: 'The app', owner: 'App team', environment: 'TEST' },
    ...{ scopes: ['contacts:read', 'agents:read'], expiresIn: 'P30D', tags: ['app'] },
  });
  const before = await see(ask, old.id);
  const { apiKey, predecessor, secret } = await replace(ask, { id: old.id });
  const { name, description, owner, environment, scopes, tags } = before;
  expect(apiKey).toMatchObject({ name, description, owner, environment, scopes, tags });
  expect(apiKey.rotation.predecessor).toEqual({ id: old.id });
  expect(apiKey.expiresAt).toBe(before.expiresAt);
  expect(predecessor).toMatchObject({
    ...{ status: 'ACTIVE', revocation: null, expiresAt: before.expiresAt },
    rotation: { successor: { id: apiKey.id }, retiresAt: null, lastRotatedAt: apiKey.createdAt },
  });
  expect([await tryKey(ask, old.secret), await tryKey(ask, secret)]).toEqual(['in', 'in']);
});

test('a replacement changes name, description, scopes and end, and the old key keeps its own', async () => {
  const old = await keyward.createKey({ description: 'Old', expiresIn: 'P30D' });
  const before = await see(ask, old.id);
  const { apiKey } = await replace(ask, {
    ...{ id: old.id, name: ' Analytics Dashboard ', description: null },
    ...{ scopes: ['analytics:read', 'contacts:write'], neverExpires: true },
  });
  expect(apiKey).toMatchObject({
    ...{ name: 'Analytics Dashboard', description: null, expiresAt: null },
    scopes: ['analytics:read', 'contacts:write'],
  });
  const { name, description, scopes, expiresAt } = before;
  expect(await see(ask, old.id)).toMatchObject({ name, description, scopes, expiresAt });
});

test.each([
  ['input.name', { name: null }],
  ['input.name', { name: ' ' }],
  ['input.scopes', { scopes: [] }],
  ['input.scopes.0', { scopes: ['contacts'] }],
  ['input.neverExpires', { neverExpires: true, expiresIn: 'P1D' }],
  ['input.expiresAt', { expiresAt: '2001-01-01T00:00:00Z' }],
])('what cannot be is refused naming the member: %s', async (field, input) => {
  const { id } = await keyward.createKey();
  const { errors } = await tryReplace(ask, { id, ...input });
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  expect((await see(ask, id)).rotation.successor).toBeNull();
});

test('a replaced key can be neither replaced nor rotated again: CONFLICT names the successor', async () => {
  const old = await keyward.createKey();
  const { apiKey } = await replace(ask, { id: old.id });
  for (const attempt of [tryReplace, tryRotate]) {
    const { errors } = await attempt(ask, { id: old.id });
    expect(errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', successorId: apiKey.id });
  }
});

test('a replacement can be rotated with grace while the replaced key works', async () => {
  const old = await keyward.createKey();
  const { apiKey } = await replace(ask, { id: old.id });
  await rotate(ask, { id: apiKey.id });
  expect(await tryKey(ask, old.secret)).toBe('in');
});

test('an expired key cannot be replaced', async () => {
  const { id } = await keyward.createKey({ expiresIn: 'P1D' });
  await age(keyward, id, '1 day');
  const { errors } = await tryReplace(ask, { id, neverExpires: true });
  expect(errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', status: 'EXPIRED' });
});

test('a retry with the same idempotency key answers with the same key and no secret', async () => {
  const { id } = await keyward.createKey();
  const input = { id, name: 'Renamed', idempotencyKey: 'replacement-1' };
  const first = await replace(ask, input);
  const { data } = await tryReplace(ask, input);
  expect(data.replaceApiKey).toMatchObject({ apiKey: { id: first.apiKey.id }, secret: null });
  const rotated = await tryRotate(ask, { id, idempotencyKey: 'replacement-1' });
  expect(rotated.errors[0]?.extensions.field).toBe('input.idempotencyKey');
});

test('the audit trail says of the old key that it was replaced, and by which', async () => {
  const { id } = await keyward.createKey();
  const { apiKey } = await replace(ask, { id });
  const { data } = await ask<{ auditEvents: { nodes: object[] } }>(
    '{ auditEvents(first: 1) { nodes { action targetId changes } } }',
  );
  expect(data.auditEvents.nodes).toEqual([
    {
      ...{ action: 'api_key.replaced', targetId: id },
      changes: { successor: { from: null, to: apiKey.id } },
    },
  ]);
});
