import { graphql, type Answer } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { rotate, successionDocuments, tryKey, type SeenSuccession } from '../support/successions';

let keyward: TestKeyward;
let ask: TestKeyward['ask'];
let urls: readonly [string, string];
beforeAll(async () => {
  keyward = await startTestKeyward();
  ({ ask } = keyward);
  urls = [keyward.url, (await keyward.startReplica()).graphqlUrl];
});
afterAll(async () => keyward.stop());

async function send<Data>(
  turn: number,
  query: string,
  input: Record<string, unknown>,
): Promise<Answer<Data>> {
  const url = urls[turn % 2 === 0 ? 0 : 1];
  return graphql<Data>(url, { query, variables: { input } }, { key: keyward.adminKey });
}

async function sendRotation(
  turn: number,
  input: Record<string, unknown>,
): Promise<Answer<{ rotateApiKey: SeenSuccession | null }>> {
  return send(turn, successionDocuments.rotate, input);
}

interface Revoked {
  readonly notice: string | null;
  readonly apiKey: { readonly status: string };
}

const revoke = `mutation ($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) { notice apiKey { status } } }`;

async function workingSuccessors(id: string): Promise<readonly string[]> {
  const rows = await keyward.database.sql<{ redacted: string }>(
    `SELECT redacted FROM api_keys WHERE predecessor_id = $1 AND api_key_status(api_keys) = 'ACTIVE'`,
    [id],
  );
  return rows.map(({ redacted }) => redacted);
}

test('fifty concurrent rotations of a key over two replicas give one successor, which the others name', async () => {
  const { id } = await keyward.createKey();
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, turn) => sendRotation(turn, { id })),
  );
  const won = answers.flatMap(({ body }) => body.data?.rotateApiKey ?? []);
  expect(won).toHaveLength(1);
  const lost = answers.flatMap(({ errors }) => errors);
  expect(lost).toHaveLength(49);
  for (const { extensions } of lost) {
    expect(extensions).toMatchObject({ code: 'CONFLICT', successorId: won[0]?.apiKey.id });
  }
  expect(await workingSuccessors(id)).toEqual([won[0]?.apiKey.redacted]);
});

test('of a concurrent rotation and replacement of a key one wins', async () => {
  const { id } = await keyward.createKey();
  const answers = await Promise.all(
    Array.from({ length: 10 }, async (_, turn) =>
      turn % 4 < 2
        ? sendRotation(turn, { id })
        : send<object>(turn, successionDocuments.replace, { id, name: 'Another one' }),
    ),
  );
  expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
  expect(await workingSuccessors(id)).toHaveLength(1);
});

test('concurrent retries with one idempotency key answer with one successor, and one of them with its secret', async () => {
  const { id } = await keyward.createKey();
  const input = { id, idempotencyKey: 'retried-rotation' };
  const answers = await Promise.all(
    Array.from({ length: 10 }, async (_, turn) => sendRotation(turn, input)),
  );
  expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
  const ids = answers.map(({ data }) => data.rotateApiKey?.apiKey.id);
  expect(new Set(ids).size).toBe(1);
  expect(answers.filter(({ data }) => data.rotateApiKey?.secret !== null)).toHaveLength(1);
});

test('a revocation that races a rotation leaves no working key that its answer does not name', async () => {
  const outcomes = new Set<string>();
  for (let round = 0; round < 20; round += 1) {
    const { id, secret } = await keyward.createKey();
    const [rotated, revoked] = await Promise.all([
      sendRotation(round, { id }),
      send<{ revokeApiKey: Revoked }>(round + 1, revoke, { id, reason: 'COMPROMISED' }),
    ]);
    const { notice, apiKey } = revoked.data.revokeApiKey;
    expect(apiKey.status).toBe('REVOKED');
    expect(await tryKey(ask, secret)).toBe('401 REVOKED');
    const working = await workingSuccessors(id);
    expect(notice).toBe(
      working.length === 0 ? null : `Its successor ${String(working[0])} still works.`,
    );
    if (working.length === 0) expect(rotated.errors[0]?.extensions.code).toBe('CONFLICT');
    outcomes.add(working.length === 0 ? 'revoked first' : 'rotated first');
  }
  expect(outcomes.size).toBeGreaterThan(0);
});

const revokeMany = `mutation ($input: RevokeApiKeysInput!) {
  revokeApiKeys(input: $input) { count notice } }`;

test('a bulk revocation that races rotations revokes their successors, too, if its filter meets them', async () => {
  for (let round = 0; round < 8; round += 1) {
    const owner = `Team ${String(round)}`;
    const ids: string[] = [];
    for (let index = 0; index < 4; index += 1) ids.push((await keyward.createKey({ owner })).id);
    const [revoked] = await Promise.all([
      send<{ revokeApiKeys: { count: number; notice: string | null } }>(round, revokeMany, {
        ...{ filter: { owner }, reason: 'COMPROMISED' },
      }),
      ...ids.map(async (id, turn) => sendRotation(turn, { id })),
    ]);
    expect(revoked.errors).toEqual([]);
    expect(revoked.data.revokeApiKeys.notice).toBeNull();
    const working = await keyward.database.sql(
      `SELECT FROM api_keys WHERE owner = $1 AND api_key_status(api_keys) = 'ACTIVE'`,
      [owner],
    );
    expect(working).toHaveLength(0);
  }
});

test('a key that rotates itself away gets its answer, and the one that it raced with is refused', async () => {
  const { id, secret } = await keyward.createKey({ scopes: ['api_keys:write', 'api_keys:read'] });
  const input = { id, gracePeriod: 'PT0S' };
  const answers = await Promise.all(
    urls.map(async (url) =>
      graphql<{ rotateApiKey: SeenSuccession | null }>(
        url,
        { query: successionDocuments.rotate, variables: { input } },
        { key: secret },
      ),
    ),
  );
  expect(answers.filter(({ body }) => body.data?.rotateApiKey != null)).toHaveLength(1);
  const codes = answers.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code));
  expect(['CONFLICT', 'UNAUTHENTICATED']).toContain(codes[0]);
});

test('rotating a key again and again keeps one line of keys of which at most two work', async () => {
  let { id } = await keyward.createKey();
  const line = [id];
  for (let turn = 0; turn < 3; turn += 1) {
    const { apiKey } = await rotate(ask, { id, gracePeriod: turn === 0 ? 'P7D' : 'PT0S' });
    ({ id } = apiKey);
    line.push(id);
  }
  const rows = await keyward.database.sql<{ status: string }>(
    'SELECT api_key_status(api_keys) AS status FROM api_keys WHERE id = ANY($1) ORDER BY id',
    [line],
  );
  expect(rows.map(({ status }) => status)).toEqual(['ACTIVE', 'REVOKED', 'REVOKED', 'ACTIVE']);
});
