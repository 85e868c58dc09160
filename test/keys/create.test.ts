import { startTestKeyward, type TestKeyward } from '../support/keyward';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

test('a created key can say who it is', async () => {
  const { secret, id } = await keyward.createKey({ name: 'CI/CD Pipeline' });
  const { data } = await keyward.ask(
    '{ viewer { kind scopes apiKey { id name prefix redacted lastUsedAt createdBy { displayName } organization { name } } } }',
    {},
    { key: secret },
  );
  expect(data.viewer).toMatchObject({ kind: 'API_KEY', scopes: ['contacts:read'], apiKey: { id } });
  const again = await keyward.ask('{ apiKeys { totalCount nodes { name status lastUsedAt } } scopes { name } }');
  expect(again.errors).toEqual([]);
  expect(again.data).toMatchObject({ apiKeys: { totalCount: 2 } });
});
