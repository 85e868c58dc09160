import type { TestDatabase } from '../support/databases';
import { graphql, type Answer } from '../support/http';
import { keyward, until, type Server } from '../support/process';
import { startReplicas, type Replicas } from '../support/replicas';

jest.setTimeout(60_000);

let replicas: Replicas;
let a: Server;
let b: Server;
let adminKey: string;
let sql: TestDatabase['sql'];
beforeAll(async () => {
  replicas = await startReplicas();
  [a, b] = replicas.servers;
  ({ adminKey } = replicas);
  ({ sql } = replicas.database);
});

interface Creation {
  readonly createApiKey: {
    readonly apiKey: { readonly id: string };
    readonly secret: string | null;
  };
}

async function create(
  { url }: Server,
  key: string,
  input: Record<string, unknown> = {},
): Promise<Answer<Creation>> {
  const query = `mutation ($input: CreateApiKeyInput!) {
    createApiKey(input: $input) { apiKey { id } secret } }`;
  const variables = { input: { name: 'Made in a race', scopes: ['contacts:read'], ...input } };
  return graphql<Creation>(url, { query, variables }, { key });
}

async function revoke({ url }: Server, key: string, id: string): Promise<Answer<unknown>> {
  const query = `mutation ($id: ID!) {
    revokeApiKey(input: { id: $id, reason: COMPROMISED }) { apiKey { status } } }`;
  return graphql(url, { query, variables: { id } }, { key });
}

async function use({ url }: Server, key: string | null): Promise<Answer<unknown>> {
  return graphql(url, { query: '{ viewer { kind } }' }, { key });
}

test('promise 2: a revoked key is refused by the very next request on another replica', async () => {
  const creators = Array.from({ length: 4 }, async () => {
    for (let round = 0; round < 60; round += 1) {
      const { apiKey, secret } = (await create(a, adminKey)).data.createApiKey;
      expect((await use(b, secret)).status).toBe(200);
      expect((await revoke(a, adminKey, apiKey.id)).status).toBe(200);
      const refused = await use(b, secret);
      expect(refused.status).toBe(401);
      expect(refused.errors[0]?.extensions).toMatchObject({
        code: 'UNAUTHENTICATED',
        reason: 'REVOKED',
      });
    }
  });
  await Promise.all(creators);
});

test('promise 2: once a revocation is answered nothing that the key was doing comes true any more', async () => {
  for (let round = 0; round < 5; round += 1) {
    const scopes = ['api_keys:write', 'contacts:read'];
    const creator = (await create(a, adminKey, { scopes })).data.createApiKey;
    const created: string[] = [];
    // Whoever has the key creates as many keys as they can, until they are refused.
    const thieves = Array.from({ length: 50 }, async (_, index) => {
      for (;;) {
        const answer = await create(index % 2 === 0 ? a : b, creator.secret ?? '');
        if (answer.status !== 200) return answer;
        created.push(answer.data.createApiKey.apiKey.id);
      }
    });
    await until('keys are created', () => created.length > 10);
    const revocation = await revoke(b, adminKey, creator.apiKey.id);
    expect(revocation.status).toBe(200);
    const atTheAnswer = await madeBy(creator.apiKey.id);
    const refusals = await Promise.all(thieves);
    expect(await madeBy(creator.apiKey.id)).toEqual(atTheAnswer);
    expect(created.sort()).toEqual(atTheAnswer);
    for (const { status, errors } of refusals) {
      expect(status).toBe(401);
      expect(errors[0]?.extensions.reason).toBe('REVOKED');
    }
  }

  async function madeBy(id: string): Promise<string[]> {
    const rows = await sql<{ id: string }>('SELECT id FROM api_keys WHERE created_by_id = $1', [
      id,
    ]);
    return rows.map((row) => row.id).sort();
  }
});

test('fifty creations with one idempotency key on two replicas make one key and show one secret', async () => {
  for (let round = 0; round < 3; round += 1) {
    const name = `Only once ${round}`;
    const input = { name, idempotencyKey: `only-once-${round}` };
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        create(index % 2 === 0 ? a : b, adminKey, input),
      ),
    );
    const creations = answers.map(({ data }) => data.createApiKey);
    expect(new Set(creations.map(({ apiKey }) => apiKey.id)).size).toBe(1);
    const secrets = creations.flatMap(({ secret }) => secret ?? []);
    expect(secrets).toHaveLength(1);
    expect((await use(b, secrets[0] ?? null)).status).toBe(200);
    expect(await sql('SELECT id FROM api_keys WHERE name = $1', [name])).toHaveLength(1);
    const events = `SELECT FROM audit_events WHERE target_name = $1 AND action = 'api_key.created'`;
    expect(await sql(events, [name])).toHaveLength(1);
  }
});

test('the same idempotency key with another input is a CONFLICT, also in a race', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, index) =>
      create(index % 2 === 0 ? a : b, adminKey, {
        name: `Input ${index % 2}`,
        idempotencyKey: 'two-inputs',
      }),
    ),
  );
  const made = answers.filter(({ errors }) => errors.length === 0);
  const refused = answers.filter(({ errors }) => errors.length > 0);
  expect([made.length, refused.length]).toEqual([10, 10]);
  expect(new Set(made.map(({ data }) => data.createApiKey.apiKey.id)).size).toBe(1);
  for (const { errors } of refused) {
    expect(errors[0]?.extensions).toMatchObject({
      code: 'CONFLICT',
      field: 'input.idempotencyKey',
    });
  }
});

test("another organization's idempotency key is another one", async () => {
  const all = replicas.settings;
  expect((await keyward(['organizations', 'create', '--name', 'Elsewhere'], all)).code).toBe(0);
  const scopes = ['--scope', 'api_keys:write', '--scope', 'contacts:read'];
  const { stdout } = await keyward(
    ['keys', 'create', '--organization', 'elsewhere', '--name', 'Theirs', ...scopes],
    all,
  );
  const input = { idempotencyKey: 'the-same-word' };
  const ours = (await create(a, adminKey, input)).data.createApiKey;
  const theirs = (await create(a, stdout.trim(), { ...input, name: 'Other input' })).data
    .createApiKey;
  expect(theirs.secret).toMatch(/^sk_live_/);
  expect(theirs.apiKey.id).not.toBe(ours.apiKey.id);
});
