import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  created,
  createApiKey,
  listed,
  readApiKey,
  refusal,
  revokeApiKey,
  tryKey,
} from '../support/api-keys';
import { graphql } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';
import { until } from '../support/process';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

const input = {
  ...{ name: 'Pipeline', description: 'Deploys', scopes: ['contacts:read', 'agents:read'] },
  ...{ owner: 'Platform', tags: ['a', 'b'], metadata: { a: { x: 1, y: 2 }, b: [1, 2] } },
};

async function moveBack(idempotencyKey: string, age: string): Promise<void> {
  await keyward.database.sql(
    'UPDATE idempotent_requests SET created_at = now() - $2::interval WHERE idempotency_key = $1',
    [idempotencyKey, age],
  );
}

test('a replay answers with the same key and no secret, and creates nothing', async () => {
  const idempotencyKey = randomUUID();
  const first = await created(keyward, { ...input, idempotencyKey });
  const { totalCount } = await listed(keyward);
  for (let time = 0; time < 3; time += 1) {
    const replay = await createApiKey(keyward, { ...input, idempotencyKey });
    expect(replay.data.createApiKey).toEqual({ apiKey: first.apiKey, secret: null });
    expect(replay.text).not.toContain(first.secret);
  }
  expect((await listed(keyward)).totalCount).toBe(totalCount);
  expect(await tryKey(keyward, first.secret)).toBe('VALID');
});

test('of concurrent requests, on two replicas, one creates the key and the others get the same', async () => {
  const replica = await keyward.startReplica();
  const idempotencyKey = randomUUID();
  const { totalCount } = await listed(keyward);
  const query = `mutation ($input: CreateApiKeyInput!) {
    createApiKey(input: $input) { apiKey { id } secret }
  }`;
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      graphql<{ createApiKey: { apiKey: { id: string }; secret: string | null } }>(
        index % 2 === 0 ? keyward.url : replica.graphqlUrl,
        { query, variables: { input: { ...input, idempotencyKey } } },
        { key: keyward.adminKey },
      ),
    ),
  );
  const payloads = answers.map(({ data }) => data.createApiKey);
  expect(new Set(payloads.map(({ apiKey }) => apiKey.id)).size).toBe(1);
  expect(payloads.filter(({ secret }) => secret !== null)).toHaveLength(1);
  expect((await listed(keyward)).totalCount).toBe(totalCount + 1);
});

const otherInputs: readonly Record<string, unknown>[] = [
  { name: 'pipeline' },
  { description: 'Deploys ' },
  { description: null },
  { environment: 'TEST' },
  { scopes: ['contacts:read'] },
  { expiresIn: 'P1D' },
  { owner: '' },
  { application: 'x' },
  { usageLocation: 'x' },
  { tags: ['b', 'a'] },
  { metadata: { a: { x: 1, y: 2 }, b: [2, 1] } },
  { metadata: { a: { x: 1, y: '2' }, b: [1, 2] } },
];
test.each(otherInputs)('the same idempotency key with %j instead is a CONFLICT', async (other) => {
  const idempotencyKey = randomUUID();
  await created(keyward, { ...input, idempotencyKey });
  const answer = await createApiKey(keyward, { ...input, ...other, idempotencyKey });
  expect(refusal(answer)).toEqual({ code: 'CONFLICT', field: 'input.idempotencyKey' });
});

test('the same input written in another way is the same input', async () => {
  const same: readonly Record<string, unknown>[] = [
    { name: '  Pipeline ' },
    { environment: 'LIVE' },
    { scopes: ['contacts:read', 'agents:read', 'contacts:read'] },
    { application: null, expiresAt: null },
    { metadata: { b: [1, 2], a: { y: 2, x: 1 } } },
  ];
  const idempotencyKey = randomUUID();
  const { apiKey } = await created(keyward, { ...input, idempotencyKey });
  for (const other of same) {
    const answer = await createApiKey(keyward, { ...input, ...other, idempotencyKey });
    expect(answer.data.createApiKey).toEqual({ apiKey, secret: null });
  }
});

test('members in any order are the same input', async () => {
  const members = Object.entries(input);
  const idempotencyKey = randomUUID();
  const { apiKey } = await created(keyward, { ...input, idempotencyKey });
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(members, { minLength: members.length }),
      async (shuffled) => {
        const again = Object.fromEntries([['idempotencyKey', idempotencyKey], ...shuffled]);
        const answer = await createApiKey(keyward, again);
        expect(answer.data.createApiKey?.apiKey.id).toBe(apiKey.id);
      },
    ),
    { numRuns: 15 },
  );
});

test('after 24 hours an idempotency key is free again, and not before', async () => {
  const idempotencyKey = randomUUID();
  const first = await created(keyward, { ...input, idempotencyKey });
  await moveBack(idempotencyKey, '23:59:00');
  const replay = await createApiKey(keyward, { ...input, idempotencyKey });
  expect(replay.data.createApiKey?.apiKey.id).toBe(first.apiKey.id);
  await moveBack(idempotencyKey, '24:00:00');
  const second = await created(keyward, { ...input, name: 'Another', idempotencyKey });
  expect(second.apiKey.id).not.toBe(first.apiKey.id);
  const again = await createApiKey(keyward, { ...input, name: 'Another', idempotencyKey });
  expect(again.data.createApiKey).toEqual({ apiKey: second.apiKey, secret: null });
});

test('a replay shows the key as it is by now', async () => {
  const idempotencyKey = randomUUID();
  const expiresAt = '2098-01-01T00:00:00.000Z';
  const { apiKey } = await created(keyward, { ...input, expiresAt, idempotencyKey });
  await keyward.database.sql(`UPDATE api_keys SET expires_at = '2020-01-01' WHERE id = $1`, [
    apiKey.id,
  ]);
  const expired = await createApiKey(keyward, { ...input, expiresAt, idempotencyKey });
  expect(expired.data.createApiKey).toMatchObject({ apiKey: { status: 'EXPIRED' }, secret: null });
  await revokeApiKey(keyward, { id: apiKey.id });
  const revoked = await createApiKey(keyward, { ...input, expiresAt, idempotencyKey });
  expect(revoked.data.createApiKey).toMatchObject({ apiKey: { status: 'REVOKED' }, secret: null });
});

test('a replay of an end that has passed since answers; a first request with it is refused', async () => {
  const idempotencyKey = randomUUID();
  const { id, expiresAt } = await createToEndIn(1000, idempotencyKey);
  await until('the end has come by the clock that counts', async () => {
    return (await readApiKey(keyward, id))?.status === 'EXPIRED';
  });
  const replay = await createApiKey(keyward, { ...input, expiresAt, idempotencyKey });
  expect(replay.data.createApiKey).toMatchObject({ apiKey: { id }, secret: null });
  const late = await createApiKey(keyward, { ...input, expiresAt, idempotencyKey: randomUUID() });
  expect(refusal(late)).toEqual({ code: 'BAD_USER_INPUT', field: 'input.expiresAt' });
});

/** A busy machine may look at the request when the end has passed: then it gets more time. */
async function createToEndIn(
  ms: number,
  idempotencyKey: string,
): Promise<{ id: string; expiresAt: string }> {
  const expiresAt = new Date(Date.now() + ms).toISOString();
  const { data } = await createApiKey(keyward, { ...input, expiresAt, idempotencyKey });
  if (data.createApiKey === null) return createToEndIn(2 * ms, idempotencyKey);
  return { id: data.createApiKey.apiKey.id, expiresAt };
}

test('a refused request leaves its idempotency key free', async () => {
  const idempotencyKey = randomUUID();
  const { secret: key } = await created(keyward, { scopes: ['api_keys:write'] });
  const refused = await createApiKey(keyward, { ...input, idempotencyKey }, { key });
  expect(refusal(refused)).toEqual({ code: 'POLICY_VIOLATION', rule: 'GRANT_SCOPES' });
  const { apiKey } = await created(keyward, { ...input, name: 'Other input', idempotencyKey });
  expect(apiKey.name).toBe('Other input');
});

test('idempotency keys count within an organization, whichever of its keys sends them', async () => {
  const idempotencyKey = randomUUID();
  const { apiKey } = await created(keyward, { ...input, idempotencyKey });
  const { secret: colleague } = await created(keyward, { scopes: ['admin:full'] });
  const replay = await createApiKey(keyward, { ...input, idempotencyKey }, { key: colleague });
  expect(replay.data.createApiKey).toEqual({ apiKey, secret: null });
  const other = await createOrganization(keyward, 'Other');
  const { secret: stranger } = await other.createKey();
  const theirs = await created(keyward, { ...input, idempotencyKey }, { key: stranger });
  expect(theirs.apiKey.id).not.toBe(apiKey.id);
});
