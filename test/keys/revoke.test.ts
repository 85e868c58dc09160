import {
  created,
  readApiKey,
  refusal,
  revokeApiKey,
  tryKey,
  type ShownKey,
} from '../support/api-keys';
import { graphql } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

async function revokeCurrent(key: string | null, note: string | null = null) {
  return keyward.ask<{ revokeCurrentApiKey: { apiKey: ShownKey } | null }>(
    `mutation ($note: String) {
       revokeCurrentApiKey(reason: UNUSED, note: $note) {
         apiKey { id status revocation { at reason note by { kind id displayName } } }
       }
     }`,
    { note },
    { key },
  );
}

async function eventsOf(id: string): Promise<unknown[]> {
  return keyward.database.sql(
    `SELECT 1 FROM audit_events WHERE target_id = $1 AND action = 'api_key.revoked'`,
    [id],
  );
}

test('once the answer is read the key is refused, on every replica', async () => {
  const replica = await keyward.startReplica();
  for (let round = 0; round < 10; round += 1) {
    const { apiKey, secret } = await created(keyward);
    expect(await tryKey(keyward, secret)).toBe('VALID');
    await revokeApiKey(keyward, { id: apiKey.id });
    const ask = { query: '{ viewer { kind } }' };
    const answers = await Promise.all(
      [keyward.url, replica.graphqlUrl].map((url) => graphql(url, ask, { key: secret })),
    );
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
      expect(refusal(answer)).toEqual({ code: 'UNAUTHENTICATED', reason: 'REVOKED' });
    }
  }
});

test('a revocation says when, by whom, why and what was noted', async () => {
  const { apiKey } = await created(keyward);
  const note = 'Found in a public repository 🔥';
  const answer = await revokeApiKey(keyward, { id: apiKey.id, reason: 'COMPROMISED', note });
  const shown = answer.data.revokeApiKey?.apiKey;
  expect(shown).toMatchObject({
    ...{ id: apiKey.id, status: 'REVOKED' },
    revocation: { reason: 'COMPROMISED', note, by: apiKey.createdBy },
  });
  expect(Date.parse(String(shown?.revocation?.at))).toBeGreaterThanOrEqual(
    Date.parse(apiKey.createdAt),
  );
  expect(await readApiKey(keyward, apiKey.id)).toEqual(shown);
});

test('repeating a revocation changes nothing and answers with the first', async () => {
  const { apiKey } = await created(keyward);
  const { secret: colleague } = await created(keyward, { scopes: ['api_keys:write'] });
  const first = await revokeApiKey(keyward, { id: apiKey.id, reason: 'UNUSED', note: 'first' });
  const again = await revokeApiKey(
    keyward,
    { id: apiKey.id, reason: 'COMPROMISED', note: 'second' },
    { key: colleague },
  );
  expect(again.data).toEqual(first.data);
  expect(await readApiKey(keyward, apiKey.id)).toEqual(first.data.revokeApiKey?.apiKey);
  expect(await eventsOf(apiKey.id)).toHaveLength(1);
});

test('of concurrent revocations one counts, and all answer with it', async () => {
  const { apiKey } = await created(keyward);
  const notes = ['a', 'b', 'c', 'd', 'e', 'f'];
  const answers = await Promise.all(
    notes.map((note) => revokeApiKey(keyward, { id: apiKey.id, note })),
  );
  const [first] = answers;
  for (const answer of answers) expect(answer.data).toEqual(first?.data);
  expect(await eventsOf(apiKey.id)).toHaveLength(1);
});

test('a note may have 1,000 characters; what is refused revokes nothing', async () => {
  const { apiKey, secret } = await created(keyward);
  for (const note of ['n'.repeat(1001), '📝'.repeat(1001), 'a\0', 'line\nbreak', '\udc00']) {
    const answer = await revokeApiKey(keyward, { id: apiKey.id, note });
    expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field: 'input.note' });
    expect(refusal(await revokeCurrent(secret, note))).toEqual({
      code: 'BAD_USER_INPUT',
      field: 'note',
    });
  }
  expect(await tryKey(keyward, secret)).toBe('VALID');
  const note = '📝'.repeat(1000);
  const answer = await revokeApiKey(keyward, { id: apiKey.id, note });
  expect(answer.data.revokeApiKey?.apiKey.revocation?.note).toBe(note);
});

test('an expired key can be revoked, and is REVOKED from then on', async () => {
  const { apiKey, secret } = await created(keyward, { expiresIn: 'P1D' });
  await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [apiKey.id]);
  expect(await tryKey(keyward, secret)).toBe('EXPIRED');
  const answer = await revokeApiKey(keyward, { id: apiKey.id });
  expect(answer.data.revokeApiKey?.apiKey.status).toBe('REVOKED');
  expect(await tryKey(keyward, secret)).toBe('REVOKED');
});

test('any key may revoke itself, whatever its scopes', async () => {
  const { apiKey, secret } = await created(keyward, { scopes: ['contacts:read'], name: 'Leaver' });
  const answer = await revokeCurrent(secret, 'Done here');
  expect(answer.data.revokeCurrentApiKey?.apiKey).toMatchObject({
    ...{ id: apiKey.id, status: 'REVOKED' },
    revocation: {
      ...{ reason: 'UNUSED', note: 'Done here' },
      by: { kind: 'API_KEY', id: apiKey.id, displayName: 'API Key: Leaver' },
    },
  });
  expect(await tryKey(keyward, secret)).toBe('REVOKED');
  expect(refusal(await revokeCurrent(secret))).toEqual({
    code: 'UNAUTHENTICATED',
    reason: 'REVOKED',
  });
});

test('a key with api_keys:write may revoke itself by its id, too', async () => {
  const { apiKey, secret } = await created(keyward, { scopes: ['api_keys:write'] });
  const answer = await revokeApiKey(keyward, { id: apiKey.id }, { key: secret });
  expect(answer.data.revokeApiKey?.apiKey.status).toBe('REVOKED');
  expect(await tryKey(keyward, secret)).toBe('REVOKED');
});

test('nobody without credentials revokes anything', async () => {
  const answer = await revokeCurrent(null);
  expect(answer.status).toBe(401);
  expect(refusal(answer)).toEqual({
    code: 'UNAUTHORIZED_FIELD_OR_TYPE',
    reason: 'UNAUTHENTICATED',
  });
});

test('a key revoked while its own request was on the way changes nothing any more', async () => {
  const { apiKey, secret } = await created(keyward, {
    scopes: ['api_keys:write', 'contacts:read'],
  });
  const { apiKey: target } = await created(keyward);
  // One request revokes its own key first and then tries to go on.
  const answer = await keyward.ask(
    `mutation ($own: ID!, $target: ID!) {
       own: revokeApiKey(input: { id: $own, reason: OTHER }) { apiKey { id } }
       create: createApiKey(input: { name: "late", scopes: ["contacts:read"] }) { secret }
       update: updateApiKey(input: { id: $target, name: "late" }) { apiKey { id } }
       revoke: revokeApiKey(input: { id: $target, reason: OTHER }) { apiKey { id } }
     }`,
    { own: apiKey.id, target: target.id },
    { key: secret },
  );
  expect(answer.body.data).toEqual({
    ...{ own: { apiKey: { id: apiKey.id } }, create: null, update: null, revoke: null },
  });
  expect(answer.errors.map(({ extensions }) => extensions.reason)).toEqual(
    Array.from({ length: 3 }, () => 'REVOKED'),
  );
  expect(await readApiKey(keyward, target.id)).toEqual(target);
});

test('two keys that revoke each other at once never wait for each other', async () => {
  for (let round = 0; round < 10; round += 1) {
    const scopes = ['api_keys:write'];
    const [a, b] = [await created(keyward, { scopes }), await created(keyward, { scopes })];
    const answers = await Promise.all([
      revokeApiKey(keyward, { id: b.apiKey.id }, { key: a.secret }),
      revokeApiKey(keyward, { id: a.apiKey.id }, { key: b.secret }),
    ]);
    // Whoever came first won; the other was revoked and said so.
    const outcomes = answers.map((answer) => refusal(answer).reason ?? 'DONE').sort();
    expect(outcomes).toEqual(['DONE', 'REVOKED']);
  }
});

test('another organization’s key, a missing one and no possible one answer alike', async () => {
  const other = await createOrganization(keyward, 'Other');
  const foreign = await other.createKey();
  const ids = [foreign.id, '0198a000-0000-7000-8000-000000000000', 'nonsense', ''];
  const answers = await Promise.all(ids.map((id) => revokeApiKey(keyward, { id })));
  for (const answer of answers) {
    expect(refusal(answer)).toEqual({ code: 'NOT_FOUND' });
    expect(answer.errors[0]?.message).toBe(answers[0]?.errors[0]?.message);
  }
  expect(await tryKey(keyward, foreign.secret)).toBe('VALID');
  expect(await readApiKey(keyward, foreign.id)).toBeNull();
});
