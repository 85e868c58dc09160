import type { Answer } from '../support/http';
import { keyward, until } from '../support/process';
import { startReplicas, type Replicas } from '../support/replicas';
import {
  rotate,
  successionDocuments,
  tryKey,
  tryRotate,
  type SeenSuccession,
} from '../support/successions';

jest.setTimeout(90_000);

let replicas: Replicas;
beforeAll(async () => {
  replicas = await startReplicas();
});

type Input = Readonly<Record<string, unknown>>;
type Succeeded = Readonly<Record<string, SeenSuccession | null>>;

interface Made {
  readonly id: string;
  readonly secret: string;
}

async function createKey(input: Input = {}): Promise<Made> {
  const { data } = await replicas.at(0)<{ createApiKey: { apiKey: Made; secret: string } }>(
    `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } secret } }`,
    { input: { name: 'Some integration', scopes: ['contacts:read'], ...input } },
  );
  return { id: data.createApiKey.apiKey.id, secret: data.createApiKey.secret };
}

async function succeed(
  turn: number,
  how: 'rotate' | 'replace',
  input: Input,
): Promise<Answer<Succeeded>> {
  return replicas.at(turn)(successionDocuments[how], { input });
}

interface Revoked {
  readonly notice: string | null;
  readonly apiKey: { readonly status: string };
}

const revoke = `mutation ($id: ID!) {
  revokeApiKey(input: { id: $id, reason: COMPROMISED }) { notice apiKey { status } } }`;

const revokeMany = `mutation ($filter: ApiKeyFilter!) {
  revokeApiKeys(input: { filter: $filter, reason: COMPROMISED }) { count notice } }`;

/**
 * Whether a race is to be run once more: so often, and further until every way in which it can end
 * was met, which chance does not always bring so soon.
 */
function goesOn(round: number, rounds: number, isEveryEndMet: boolean): boolean {
  return round < rounds || (round < 20 * rounds && !isEveryEndMet);
}

/** What is shown of the working keys that took the place of one of these, oldest first. */
async function workingSuccessors(...ids: readonly string[]): Promise<readonly string[]> {
  const rows = await replicas.database.sql<{ redacted: string }>(
    `SELECT redacted FROM api_keys
     WHERE predecessor_id = ANY($1) AND api_key_status(api_keys) = 'ACTIVE' ORDER BY id`,
    [ids],
  );
  return rows.map(({ redacted }) => redacted);
}

test('fifty concurrent rotations of a key over two processes give one successor, which the others name', async () => {
  for (let round = 0; round < 3; round += 1) {
    const { id } = await createKey();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, turn) => succeed(turn, 'rotate', { id })),
    );
    const won = answers.flatMap(({ body }) => body.data?.rotateApiKey ?? []);
    expect(won).toHaveLength(1);
    const lost = answers.flatMap(({ errors }) => errors);
    expect(lost).toHaveLength(49);
    for (const { extensions } of lost) {
      expect(extensions).toMatchObject({ code: 'CONFLICT', successorId: won[0]?.apiKey.id });
    }
    expect(await workingSuccessors(id)).toEqual([won[0]?.apiKey.redacted]);
  }
});

test('of concurrent rotations and replacements of a key one wins', async () => {
  const winners = new Set<string>();
  for (let round = 0; goesOn(round, 10, winners.size === 2); round += 1) {
    const { id } = await createKey();
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, index) =>
        succeed(index, (index + round) % 4 < 2 ? 'rotate' : 'replace', { id }),
      ),
    );
    const won = answers.filter(({ errors }) => errors.length === 0);
    expect(won).toHaveLength(1);
    winners.add(Object.keys(won[0]?.data ?? {}).join());
    expect(await workingSuccessors(id)).toHaveLength(1);
  }
  expect([...winners].sort()).toEqual(['replaceApiKey', 'rotateApiKey']);
});

test('concurrent retries with one idempotency key answer with one successor, and one of them with its secret', async () => {
  const { id } = await createKey();
  const input = { id, idempotencyKey: 'retried-rotation' };
  const answers = await Promise.all(
    Array.from({ length: 10 }, async (_, turn) => succeed(turn, 'rotate', input)),
  );
  expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
  const ids = answers.map(({ data }) => data.rotateApiKey?.apiKey.id);
  expect(new Set(ids).size).toBe(1);
  expect(answers.filter(({ data }) => data.rotateApiKey?.secret !== null)).toHaveLength(1);
});

test.each(['rotate', 'replace'] as const)(
  'a revocation that races with "%s" on another process leaves no working key that its answer does not name',
  async (how) => {
    const first = new Set<string>();
    for (let round = 0; goesOn(round, 40, first.size === 2); round += 1) {
      const { id, secret } = await createKey();
      const revocation = async () => replicas.at(round)<{ revokeApiKey: Revoked }>(revoke, { id });
      const succession = async () => succeed(round + 1, how, { id });
      // Each is sent first half of the time, from either process.
      const begun = round % 4 < 2 ? revocation() : undefined;
      const [succeeded, revoked] = await Promise.all([succession(), begun ?? revocation()]);
      const { notice, apiKey } = revoked.data.revokeApiKey;
      expect(apiKey.status).toBe('REVOKED');
      expect(await tryKey(replicas.at(round + 1), secret)).toBe('401 REVOKED');
      const [working] = await workingSuccessors(id);
      if (working === undefined) expect(succeeded.errors[0]?.extensions.code).toBe('CONFLICT');
      expect(notice).toBe(working === undefined ? null : `Its successor ${working} still works.`);
      first.add(working === undefined ? 'the revocation' : 'the succession');
    }
    expect([...first].sort()).toEqual(['the revocation', 'the succession']);
  },
);

test('a bulk revocation that races rotations revokes their successors, too, if its filter meets them', async () => {
  for (let round = 0; round < 10; round += 1) {
    const owner = `Team ${round}`;
    const keys = await Promise.all(Array.from({ length: 6 }, async () => createKey({ owner })));
    const [revoked] = await Promise.all([
      replicas.at(round)<{ revokeApiKeys: Revoked }>(revokeMany, { filter: { owner } }),
      ...keys.map(async ({ id }, turn) => succeed(turn, 'rotate', { id })),
    ]);
    expect(revoked.errors).toEqual([]);
    expect(revoked.data.revokeApiKeys.notice).toBeNull();
    expect(await workingSuccessors(...keys.map(({ id }) => id))).toEqual([]);
  }
});

test('a bulk revocation that races replacements names every successor that its filter does not meet', async () => {
  const survivors: string[] = [];
  for (let round = 0; goesOn(round, 10, survivors.length > 0); round += 1) {
    const name = `Integration ${round} of old`;
    const keys = await Promise.all(Array.from({ length: 6 }, async () => createKey({ name })));
    const [revoked] = await Promise.all([
      replicas.at(round)<{ revokeApiKeys: Revoked }>(revokeMany, { filter: { search: name } }),
      ...keys.map(async ({ id }, turn) => succeed(turn, 'replace', { id, name: 'A new one' })),
    ]);
    const working = await workingSuccessors(...keys.map(({ id }) => id));
    const { notice } = revoked.data.revokeApiKeys;
    const named = [...(notice ?? '').matchAll(/\w+\.{3}\w+/g)].map(([redacted]) => redacted);
    expect(named).toEqual(working);
    survivors.push(...working);
  }
  expect(survivors).not.toEqual([]);
});

test('a key that rotates itself away gets its answer, and the one that it raced with is refused', async () => {
  const { id, secret } = await createKey({ scopes: ['api_keys:write', 'api_keys:read'] });
  const answers = await Promise.all(
    [0, 1].map(async (turn) =>
      tryRotate(replicas.at(turn), { id, gracePeriod: 'PT0S' }, { key: secret }),
    ),
  );
  expect(answers.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
  const codes = answers.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code));
  expect(['CONFLICT', 'UNAUTHENTICATED']).toContain(codes[0]);
});

test('rotating a key again and again keeps one line of keys of which at most two work', async () => {
  let { id } = await createKey();
  const line = [id];
  for (let turn = 0; turn < 3; turn += 1) {
    const input = { id, gracePeriod: turn === 0 ? 'P7D' : 'PT0S' };
    ({ id } = (await rotate(replicas.at(turn), input)).apiKey);
    line.push(id);
  }
  const rows = await replicas.database.sql<{ status: string }>(
    'SELECT api_key_status(api_keys) AS status FROM api_keys WHERE id = ANY($1) ORDER BY id',
    [line],
  );
  expect(rows.map(({ status }) => status)).toEqual(['ACTIVE', 'REVOKED', 'REVOKED', 'ACTIVE']);
});

test('promise 4: kill -9 of a process amid rotations leaves each of them whole, or not there and safe to retry', async () => {
  for (let round = 0; round < 4; round += 1) {
    const name = `Rotated until the end of round ${round}`;
    const answered: Made[] = [];
    const unanswered: string[] = [];
    let over = false;
    const rotateOn = async (turn: number, key: Made): Promise<void> => {
      for (let { id } = key; !over;) {
        const answer = await tryRotate(replicas.at(turn), rotationOf(id)).catch(() => undefined);
        if (answer === undefined) {
          unanswered.push(id);
          return;
        }
        expect(answer.errors).toEqual([]);
        const { apiKey, secret } = answer.data.rotateApiKey;
        answered.push({ id: apiKey.id, secret: secret ?? '' });
        ({ id } = apiKey);
      }
    };
    const keys = await Promise.all(Array.from({ length: 12 }, async () => createKey({ name })));
    const load = Promise.all(keys.map(async (key, index) => rotateOn(index, key)));
    await until('rotations are answered', () => answered.length > 40);
    const restarted = replicas.restart(round);
    await until('rotations are left without an answer', () => unanswered.length === 6);
    over = true;
    await Promise.all([load, restarted]);

    for (const id of unanswered) {
      const { predecessor } = await rotate(replicas.at(round + 1), rotationOf(id));
      expect(predecessor).toMatchObject({ id, status: 'REVOKED' });
    }
    const superseded = await expectWhole(name);
    for (const { id, secret } of answered) {
      const verdict = superseded.has(id) ? '401 REVOKED' : 'in';
      expect(await tryKey(replicas.at(round), secret)).toBe(verdict);
    }
    const { code, stdout } = await keyward(['audit', 'verify'], replicas.settings);
    expect(stdout).not.toContain('broken');
    expect(code).toBe(0);
  }
});

function rotationOf(id: string): { id: string; idempotencyKey: string; gracePeriod: string } {
  return { id, idempotencyKey: `after ${id}`, gracePeriod: 'PT0S' };
}

/** Rows, links and events of all keys of this name belong together; those that have a successor. */
async function expectWhole(name: string): Promise<ReadonlySet<string>> {
  const rows = await replicas.database.sql<{
    id: string;
    predecessor: string | null;
    successor: string | null;
    events: readonly string[];
  }>(
    `SELECT id, predecessor_id AS predecessor, successor_id AS successor,
       ARRAY(SELECT action::text FROM audit_events
             WHERE target_id = api_keys.id::text ORDER BY sequence) AS events
     FROM api_keys WHERE name = $1`,
    [name],
  );
  const successors = new Map(rows.map(({ id, successor }) => [id, successor]));
  const predecessors = new Map(rows.map(({ id, predecessor }) => [id, predecessor]));
  for (const { id, predecessor, successor, events } of rows) {
    expect(events).toEqual(['api_key.created', ...(successor === null ? [] : ['api_key.rotated'])]);
    if (successor !== null) expect(predecessors.get(successor)).toBe(id);
    if (predecessor !== null) expect(successors.get(predecessor)).toBe(id);
  }
  return new Set(rows.flatMap(({ id, successor }) => (successor === null ? [] : id)));
}
