import type { TestKeyward } from '../support/keyward';
import { graphql, type Answer } from '../support/http';
import { serve, testDatabase } from '../support/process';
import { startProxy, type Proxy } from '../support/proxy';
import { successionDocuments, type SeenKey } from '../support/successions';
import type { TestDatabase } from '../support/databases';

jest.setTimeout(60_000);

interface Issued {
  readonly apiKey: SeenKey;
  readonly secret: string | null;
}
type Issuing = Readonly<Record<string, Issued | null>>;

let database: TestDatabase;
let proxy: Proxy;
let ask: TestKeyward['ask'];
beforeAll(async () => {
  database = await testDatabase();
  proxy = await startProxy(database.url);
  const { url, adminKey = '' } = await serve({
    DATABASE_URL: proxy.url,
    KEYWARD_PEPPERS: 'a pepper of thirty-two characters and more',
  });
  ask = async (query, variables) => graphql(url, { query, variables }, { key: adminKey });
});
afterAll(() => proxy.close());

const create = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { id rotation { predecessor { id } } } secret } }`;

async function keysNamed(name: string): Promise<readonly string[]> {
  const rows = await database.sql<{ id: string }>(
    'SELECT id FROM api_keys WHERE name = $1 AND successor_id IS NULL ORDER BY id',
    [name],
  );
  return rows.map(({ id }) => id);
}

function expectNoAnswer(answer: Answer<unknown>): void {
  expect(answer.status).toBe(503);
  expect(answer.errors[0]?.extensions.code).toBe('UNAVAILABLE');
  expect(answer.text).not.toMatch(/sk_(live|test)_/);
}

const operations = [
  ['createApiKey', create],
  ['rotateApiKey', successionDocuments.rotate],
  ['replaceApiKey', successionDocuments.replace],
] as const;

test.each(operations)(
  'promise 4: after a lost COMMIT answer %s can be retried: the one key it made, and no secret',
  async (operation, document) => {
    const name = `Made by ${operation}`;
    const input = { name, scopes: ['contacts:read'] };
    const idempotent = { ...input, idempotencyKey: `lost ${operation}` };
    const given =
      operation === 'createApiKey'
        ? idempotent
        : {
            id: (await ask<Issuing>(create, { input })).data.createApiKey?.apiKey.id,
            idempotencyKey: idempotent.idempotencyKey,
          };
    proxy.loseCommit(name);
    expectNoAnswer(await ask(document, { input: given }));
    const made = await keysNamed(name);
    expect(made).toHaveLength(1);
    for (let retry = 0; retry < 2; retry += 1) {
      const { errors, data } = await ask<Issuing>(document, { input: given });
      expect(errors).toEqual([]);
      expect(data[operation]).toMatchObject({ apiKey: { id: made[0] }, secret: null });
    }
    expect(await keysNamed(name)).toEqual(made);
    const other = await ask(document, { input: { ...given, expiresIn: 'P9D' } });
    expect(other.errors[0]?.extensions.code).toBe('CONFLICT');
  },
);

test('after a lost COMMIT answer a revocation holds, and its retry answers with it', async () => {
  const { data } = await ask<Issuing>(create, {
    input: { name: 'Revoked', scopes: ['contacts:read'] },
  });
  const id = data.createApiKey?.apiKey.id;
  const revoke = `mutation ($id: ID!, $note: String) {
    revokeApiKey(input: { id: $id, reason: COMPROMISED, note: $note }) { apiKey { revocation { note } } } }`;
  proxy.loseCommit('the first note');
  expectNoAnswer(await ask(revoke, { id, note: 'the first note' }));
  const { data: again } = await ask(revoke, { id, note: 'the second note' });
  expect(again).toEqual({ revokeApiKey: { apiKey: { revocation: { note: 'the first note' } } } });
});
