import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';
import { age, replace, rotate, see, tryKey } from '../support/successions';
import type { Answer, Asked } from '../support/http';

let keyward: TestKeyward;
let ask: TestKeyward['ask'];
beforeEach(async () => {
  keyward = await startTestKeyward();
  ({ ask } = keyward);
});
afterEach(async () => keyward.stop());

interface Revoked {
  readonly revokeApiKeys: {
    readonly count: number;
    readonly apiKeys: readonly { readonly id: string; readonly status: string }[];
    readonly notice: string | null;
  };
}

async function tryRevoke(
  filter: object,
  input: Record<string, unknown> = {},
  asked?: Asked,
): Promise<Answer<Revoked>> {
  return ask<Revoked>(
    `mutation ($input: RevokeApiKeysInput!) {
       revokeApiKeys(input: $input) { count notice apiKeys { id status } } }`,
    { input: { filter, reason: 'EMPLOYEE_DEPARTURE', ...input } },
    asked,
  );
}

async function revoke(
  filter: object,
  input?: Record<string, unknown>,
  asked?: Asked,
): Promise<Revoked['revokeApiKeys']> {
  const { errors, data } = await tryRevoke(filter, input, asked);
  expect(errors).toEqual([]);
  return data.revokeApiKeys;
}

async function revokedIds(): Promise<readonly string[]> {
  const { data } = await ask<{ auditEvents: { nodes: { targetId: string }[] } }>(
    '{ auditEvents(filter: { actions: ["api_key.revoked"] }) { nodes { targetId } } }',
  );
  return data.auditEvents.nodes.map(({ targetId }) => targetId);
}

test('every key that meets the filter is revoked by the time the answer is read, and no other', async () => {
  const gone = [
    await keyward.createKey({ owner: 'Jane' }),
    await keyward.createKey({ owner: 'Jane', expiresIn: 'P1D' }),
  ];
  const stays = await keyward.createKey({ owner: 'Joe' });
  const { count, apiKeys, notice } = await revoke({ owner: 'Jane' }, { note: 'Left in May' });
  expect({ count, notice }).toEqual({ count: 2, notice: null });
  expect(apiKeys).toEqual(gone.map(({ id }) => ({ id, status: 'REVOKED' })));
  for (const { secret } of gone) expect(await tryKey(ask, secret)).toBe('401 REVOKED');
  expect(await tryKey(ask, stays.secret)).toBe('in');
  expect((await see(ask, gone[0]?.id ?? '')).revocation).toMatchObject({
    ...{ reason: 'EMPLOYEE_DEPARTURE', note: 'Left in May' },
    by: { displayName: 'API Key: Admin key of the first start' },
  });
  expect([...(await revokedIds())].sort()).toEqual(gone.map(({ id }) => id).sort());
});

test('a dry run answers the same and changes nothing', async () => {
  const { id, secret } = await keyward.createKey({ owner: 'Jane' });
  expect(await revoke({ owner: 'Jane' }, { dryRun: true })).toEqual({
    ...{ count: 1, notice: null },
    apiKeys: [{ id, status: 'ACTIVE' }],
  });
  expect(await tryKey(ask, secret)).toBe('in');
  expect(await revokedIds()).toEqual([]);
});

test('keys that are revoked already keep their first revocation and are not counted; expired ones are', async () => {
  const first = await keyward.createKey({ owner: 'Jane' });
  await revoke({ owner: 'Jane' }, { reason: 'UNUSED' });
  const expired = await keyward.createKey({ owner: 'Jane', expiresIn: 'P1D' });
  await age(keyward, expired.id, '1 day');
  const { apiKeys } = await revoke({ owner: 'Jane' });
  expect(apiKeys.map(({ id }) => id)).toEqual([expired.id]);
  expect((await see(ask, first.id)).revocation?.reason).toBe('UNUSED');
});

test.each([
  {},
  { owner: null, status: null, tags: null },
  { scopes: [], tags: [] },
  { search: '' },
])('a filter that every key meets is refused, also for a dry run: %j', async (filter) => {
  const { secret } = await keyward.createKey();
  for (const dryRun of [false, true]) {
    const { errors } = await tryRevoke(filter, { dryRun });
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.filter' });
  }
  expect(await tryKey(ask, secret)).toBe('in');
});

test.each([
  ['input.filter.status', { status: [] }],
  ['input.filter.search', { search: 'a\u0000' }],
])('a bad filter is refused naming the member: %s', async (field, filter) => {
  const { errors } = await tryRevoke(filter);
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
});

test('the key that asks is revoked with the others if it meets the filter, last, and gets its answer', async () => {
  const own = await keyward.createKey({ owner: 'Jane', scopes: ['api_keys:write'] });
  const other = await keyward.createKey({ owner: 'Jane' });
  const { apiKeys } = await revoke({ owner: 'Jane' }, {}, { key: own.secret });
  expect(apiKeys.map(({ id }) => id)).toEqual([other.id, own.id]);
  expect(await tryKey(ask, own.secret)).toBe('401 REVOKED');
});

test('the key that asks is in use, so it never counts as unused', async () => {
  const unused = await keyward.createKey();
  const { apiKeys } = await revoke({ unusedSince: '2999-01-01T00:00:00Z' });
  expect(apiKeys.map(({ id }) => id)).toEqual([unused.id]);
});

test('keys of other organizations are out of reach of any filter', async () => {
  const elsewhere = await createOrganization(keyward, 'Elsewhere');
  const foreign = await elsewhere.createKey({ name: 'Their key' });
  expect(await revoke({ search: 'Their key' })).toMatchObject({ count: 0, apiKeys: [] });
  expect(await tryKey(ask, foreign.secret)).toBe('in');
});

test('it needs api_keys:write', async () => {
  const reader = await keyward.createKey({ scopes: ['api_keys:read'] });
  const { errors } = await tryRevoke({ owner: 'Jane' }, {}, { key: reader.secret });
  expect(errors[0]?.extensions.reason).toBe('INSUFFICIENT_SCOPE');
});

test('working successors that the filter did not meet are named', async () => {
  const old = await keyward.createKey({ name: 'Mobile App' });
  const { apiKey } = await replace(ask, { id: old.id, name: 'Mobile App - iOS' });
  const filter = { search: 'Mobile App', createdBefore: apiKey.createdAt };
  for (const dryRun of [true, false]) {
    const { count, notice } = await revoke(filter, { dryRun });
    expect(count).toBe(1);
    expect(notice).toBe(`Its successor ${apiKey.redacted} still works.`);
  }
});

test('successors that the filter met are not named, nor by a dry run', async () => {
  const old = await keyward.createKey({ owner: 'Jane' });
  await replace(ask, { id: old.id });
  for (const dryRun of [true, false]) {
    expect(await revoke({ owner: 'Jane' }, { dryRun })).toMatchObject({ count: 2, notice: null });
  }
});

test('revoking one key names the working end of its line, also when it is repeated', async () => {
  const first = await keyward.createKey();
  const second = await rotate(ask, { id: first.id });
  const third = await rotate(ask, { id: second.apiKey.id, gracePeriod: 'PT0S' });
  const revokeOne = async (id: string): Promise<unknown> => {
    const { data } = await ask<{ revokeApiKey: { notice: string | null } }>(
      'mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: OTHER }) { notice } }',
      { id },
    );
    return data.revokeApiKey.notice;
  };
  const notice = `Its successor ${third.apiKey.redacted} still works.`;
  expect([await revokeOne(first.id), await revokeOne(first.id)]).toEqual([notice, notice]);
  expect(await tryKey(ask, third.secret)).toBe('in');
  expect(await revokeOne(third.apiKey.id)).toBeNull();
  expect(await revokeOne(first.id)).toBeNull();
});

async function addKeys(number: number): Promise<void> {
  await keyward.database.sql(
    `INSERT INTO api_keys (id, organization_id, name, environment, prefix, redacted, scopes, digest,
       pepper_id, created_at, created_by_kind, created_by_name, owner, tags, metadata)
     SELECT gen_random_uuid(), organization_id, name || n, environment, prefix, redacted, scopes,
       decode(lpad(to_hex(n), 64, '0'), 'hex'), pepper_id, created_at, created_by_kind,
       created_by_name, 'Bulk', tags, metadata
     FROM (SELECT * FROM api_keys LIMIT 1) AS model, generate_series(1, $1) AS n`,
    [number],
  );
  await keyward.database.sql(
    `INSERT INTO api_key_last_uses (api_key_id, organization_id)
     SELECT id, organization_id FROM api_keys ON CONFLICT DO NOTHING`,
  );
}

test('a thousand keys are revoked as one: counted all, shown the first two hundred, one event each', async () => {
  await addKeys(1000);
  const { count, apiKeys } = await revoke({ owner: 'Bulk' });
  expect([count, apiKeys.length]).toEqual([1000, 200]);
  const { data } = await ask<{ auditEvents: { totalCount: number } }>(
    '{ auditEvents(filter: { actions: ["api_key.revoked"] }) { totalCount } }',
  );
  expect(data.auditEvents.totalCount).toBe(1000);
});

test('more than a thousand are refused, telling to narrow the filter, and none is revoked', async () => {
  await addKeys(1001);
  const { errors } = await tryRevoke({ owner: 'Bulk' });
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.filter' });
  expect(errors[0]?.message).toMatch(/narrow/i);
  expect(await revokedIds()).toEqual([]);
});
