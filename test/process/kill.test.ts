import type { TestDatabase } from '../support/databases';
import { graphql, type Answer } from '../support/http';
import { serve, testDatabase, until, type Server } from '../support/process';
import { expectCountsOfRecords } from '../support/usage-records';

jest.setTimeout(90_000);

interface Creation {
  readonly createApiKey: {
    readonly apiKey: { readonly id: string };
    readonly secret: string | null;
  };
}

/** A request whose answer was read. */
interface Answered {
  readonly requestId: string;
  readonly status: number;
}

interface Made {
  readonly id: string;
  readonly secret: string;
}

/** Clients that go on until the server is gone, and what they know then. */
class Load {
  readonly answered: Answered[] = [];
  readonly made = new Map<string, Made>();
  /** Idempotency keys of creations whose answers never came. */
  readonly unanswered: string[] = [];
  #requests = 0;

  constructor(
    private readonly url: string,
    private readonly round: number,
  ) {}

  async create(key: string): Promise<void> {
    for (let index = 0; ; index += 1) {
      const name = `kill-${this.round}-${key.slice(-4)}-${index}`;
      const answer = await this.#send<Creation>(key, creation, inputOf(name));
      if (answer === undefined || answer.status === 503) this.unanswered.push(name);
      if (answer === undefined) return;
      if (answer.status === 503) continue;
      const { apiKey, secret } = answer.data.createApiKey;
      this.made.set(name, { id: apiKey.id, secret: secret ?? '' });
    }
  }

  async ask(key: string, query: string): Promise<void> {
    while ((await this.#send(key, query)) !== undefined);
  }

  /** undefined when the server has gone before its answer was read. */
  async #send<Data>(key: string, query: string, variables = {}): Promise<Answer<Data> | undefined> {
    const requestId = `kill.${this.round}.${(this.#requests += 1)}`;
    const headers = { 'x-request-id': requestId };
    try {
      const answer = await graphql<Data>(this.url, { query, variables }, { key, headers });
      const { status } = answer;
      // What a machine that is too busy refuses need not be recorded.
      if (status !== 503) this.answered.push({ requestId, status });
      return answer;
    } catch {
      return undefined;
    }
  }
}

const creation = `mutation Create($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { id } secret } }`;

function inputOf(name: string, scopes = ['contacts:read']) {
  return { input: { name, idempotencyKey: name, scopes } };
}

async function make(server: Server, key: string, name: string, scopes: string[]): Promise<Made> {
  const answer = await graphql<Creation>(
    server.url,
    { query: creation, variables: inputOf(name, scopes) },
    { key },
  );
  const { apiKey, secret } = answer.data.createApiKey;
  return { id: apiKey.id, secret: secret ?? '' };
}

test('promises 4 and 5: kill -9 under load loses no answered write and no record, and nothing is there twice', async () => {
  const database = await testDatabase();
  const settings = {
    DATABASE_URL: database.url,
    KEYWARD_PEPPERS: 'a pepper of thirty-two characters and more',
  };
  let server = await serve(settings);
  const admin = server.adminKey ?? '';
  const writers = [admin];
  for (const name of ['Writer 1', 'Writer 2', 'Writer 3']) {
    const scopes = ['api_keys:write', 'api_keys:read', 'contacts:read'];
    writers.push((await make(server, admin, name, scopes)).secret);
  }
  const reader = await make(server, admin, 'Reader', ['contacts:read']);
  const revoked = await make(server, admin, 'Revoked', ['contacts:read']);
  const revocation = `mutation { revokeApiKey(input: { id: "${revoked.id}", reason: OTHER }) { apiKey { id } } }`;
  expect((await graphql(server.url, { query: revocation }, { key: admin })).status).toBe(200);

  for (let round = 1; round <= 3; round += 1) {
    const load = new Load(server.url, round);
    const clients = [
      ...writers.map(async (key) => load.create(key)),
      ...writers.map(async (key) =>
        load.ask(key, 'query List { apiKeys(first: 3) { nodes { id } } }'),
      ),
      ...Array.from({ length: 4 }, async () => load.ask(reader.secret, '{ viewer { kind } }')),
      load.ask(reader.secret, '{ apiKeys { totalCount } }'),
      load.ask(revoked.secret, '{ viewer { kind } }'),
    ];
    await until('the load is on', () => load.made.size > 60 && load.answered.length > 400);
    await server.kill();
    await Promise.all(clients);
    expect(load.unanswered.length).toBeGreaterThan(0);
    server = await serve(settings);
    await expectAllMade(database, server, load);
    await expectAllRecorded(database, load);
    await expectSafeRetries(database, server, load, writers);
  }
  await expectCountsOfRecords(database);
  await expectLastUses(database);
});

async function expectAllMade(database: TestDatabase, server: Server, load: Load): Promise<void> {
  for (const [name, { id, secret }] of load.made) {
    const answer = await graphql<{ viewer: { apiKey: { id: string; name: string } } }>(
      server.url,
      { query: '{ viewer { apiKey { id name } } }' },
      { key: secret },
    );
    expect(answer.data.viewer.apiKey).toEqual({ id, name });
    expect(await eventsOf(database, name)).toBe(1);
  }
}

async function expectAllRecorded(database: TestDatabase, load: Load): Promise<void> {
  const rows = await database.sql<{ id: string; times: number; outcome: string }>(
    `SELECT request_id AS id, count(*)::int AS times, min(outcome) AS outcome
     FROM api_key_requests GROUP BY request_id`,
  );
  expect(rows.filter(({ times }) => times !== 1)).toEqual([]);
  const outcomes = new Map(rows.map(({ id, outcome }) => [id, outcome]));
  const expected = new Map([
    [200, 'VALID'],
    [401, 'REVOKED'],
    [403, 'INSUFFICIENT_SCOPE'],
  ]);
  expect(new Set(load.answered.map(({ status }) => status))).toEqual(new Set(expected.keys()));
  for (const { requestId, status } of load.answered) {
    expect({ requestId, outcome: outcomes.get(requestId) }).toEqual({
      requestId,
      outcome: expected.get(status),
    });
  }
}

/** Whether it had happened or not: sent again it gives one key, which works if its secret is told. */
async function expectSafeRetries(
  database: TestDatabase,
  server: Server,
  load: Load,
  writers: readonly string[],
): Promise<void> {
  for (const name of load.unanswered) {
    const key = writers.find((each) => name.includes(`-${each.slice(-4)}-`)) ?? '';
    const { secret } = await make(server, key, name, ['contacts:read']);
    expect(await database.sql('SELECT FROM api_keys WHERE name = $1', [name])).toHaveLength(1);
    expect(await eventsOf(database, name)).toBe(1);
    if (secret === '') continue;
    const { status } = await graphql(server.url, { query: '{ viewer { kind } }' }, { key: secret });
    expect(status).toBe(200);
  }
}

async function eventsOf(database: TestDatabase, name: string): Promise<number> {
  const rows = await database.sql(
    `SELECT FROM audit_events WHERE action = 'api_key.created' AND target_name = $1`,
    [name],
  );
  return rows.length;
}

async function expectLastUses(database: TestDatabase): Promise<void> {
  const late = await database.sql(
    `SELECT FROM api_key_last_uses JOIN (
       SELECT api_key_id, max(at) AS at FROM api_key_requests
       WHERE outcome <> 'REVOKED' GROUP BY 1) AS used USING (api_key_id)
     WHERE last_used_at <> used.at`,
  );
  expect(late).toEqual([]);
}
