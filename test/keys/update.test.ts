import {
  created,
  readApiKey,
  refusal,
  tryKey,
  updateApiKey,
  type ShownKey,
} from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

const full = {
  ...{ name: 'Before', description: 'What', owner: 'Who', application: 'For', usageLocation: 'At' },
  ...{ tags: ['one', 'two'], metadata: { a: 1 } },
};
const changed = {
  ...{
    name: 'After',
    description: 'Else',
    owner: 'Her',
    application: 'It',
    usageLocation: 'There',
  },
  ...{ tags: ['three'], metadata: { b: [2] } },
};

test.each(Object.entries(changed))('%s changes alone', async (member, value) => {
  const { apiKey } = await created(keyward, full);
  const answer = await updateApiKey(keyward, { id: apiKey.id, [member]: value });
  const expected = { ...apiKey, [member]: value };
  expect(answer.data.updateApiKey?.apiKey).toEqual(expected);
  expect(await readApiKey(keyward, apiKey.id)).toEqual(expected);
});

test('null clears everything but the name', async () => {
  const { apiKey } = await created(keyward, full);
  const answer = await updateApiKey(keyward, {
    ...{ id: apiKey.id, description: null, owner: null, application: null, usageLocation: null },
    ...{ tags: null, metadata: null },
  });
  expect(answer.data.updateApiKey?.apiKey).toEqual({
    ...apiKey,
    ...{ description: null, owner: null, application: null, usageLocation: null },
    ...{ tags: [], metadata: {} },
  });
  const nameless = await updateApiKey(keyward, { id: apiKey.id, name: null });
  expect(refusal(nameless)).toEqual({ code: 'BAD_USER_INPUT', field: 'input.name' });
});

test('what the secret may do is no part of an update, and the secret goes on working', async () => {
  const { apiKey, secret } = await created(keyward);
  const members = [{ scopes: ['admin:full'] }, { expiresAt: null }, { environment: 'TEST' }];
  for (const member of members) {
    const answer = await updateApiKey(keyward, { id: apiKey.id, ...member });
    expect(answer.errors[0]?.message).toMatch(/is not defined by type "UpdateApiKeyInput"/);
  }
  await updateApiKey(keyward, { id: apiKey.id, ...changed });
  expect(await tryKey(keyward, secret)).toBe('VALID');
});

test('limits hold as at the creation, and what is refused changes nothing', async () => {
  const { apiKey } = await created(keyward, full);
  const asks: readonly (readonly [string, Record<string, unknown>])[] = [
    ['input.name', { name: '  ' }],
    ['input.name', { name: '🔑'.repeat(101) }],
    ['input.description', { description: 'd'.repeat(501) }],
    ['input.owner', { owner: 'o\n' }],
    ['input.application', { application: '\ud83d' }],
    ['input.usageLocation', { usageLocation: '\0' }],
    ['input.tags', { tags: Array.from({ length: 21 }, (_, index) => `t${index}`) }],
    ['input.tags.1', { tags: ['ok', 't'.repeat(51)] }],
    ['input.metadata.a.b', { metadata: { a: { b: '\u0007' } } }],
    ['input.metadata', { metadata: { a: 'x'.repeat(4096) } }],
  ];
  for (const [field, input] of asks) {
    const answer = await updateApiKey(keyward, { id: apiKey.id, owner: 'Changed too', ...input });
    expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field });
  }
  expect(await readApiKey(keyward, apiKey.id)).toEqual(apiKey);
});

test('another organization’s key, a missing one and no possible one answer alike', async () => {
  const other = await createOrganization(keyward, 'Other');
  const foreign = await other.createKey({ name: 'Theirs' });
  const ids = [foreign.id, '0198a000-0000-7000-8000-000000000000', 'nonsense', '', "' OR 1=1"];
  const answers = await Promise.all(
    ids.map((id) => updateApiKey(keyward, { id, name: 'Mine now' })),
  );
  for (const answer of answers) {
    expect(refusal(answer)).toEqual({ code: 'NOT_FOUND' });
    expect(answer.errors[0]?.message).toBe(answers[0]?.errors[0]?.message);
  }
  const [row] = await keyward.database.sql('SELECT name FROM api_keys WHERE id = $1', [foreign.id]);
  expect(row).toEqual({ name: 'Theirs' });
});

test('of concurrent changes to different labels none is lost', async () => {
  const { apiKey } = await created(keyward, full);
  await Promise.all(
    Object.entries(changed).map(([member, value]) =>
      updateApiKey(keyward, { id: apiKey.id, [member]: value }),
    ),
  );
  expect(await readApiKey(keyward, apiKey.id)).toEqual({ ...apiKey, ...changed });
});

test('a key whose end has come can still be labelled, and stays what it is', async () => {
  const { apiKey } = await created(keyward, { expiresIn: 'P1D' });
  await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [apiKey.id]);
  const answer = await updateApiKey(keyward, { id: apiKey.id, name: 'Was useful' });
  const key: ShownKey | undefined = answer.data.updateApiKey?.apiKey;
  expect(key).toMatchObject({ name: 'Was useful', status: 'EXPIRED' });
});
