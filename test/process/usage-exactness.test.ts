import type { Answer } from '../support/http';
import { HttpLine } from '../support/http-line';
import { until } from '../support/process';
import { startReplicas, type Replicas } from '../support/replicas';
import { age } from '../support/successions';
import { expectCountsOfRecords } from '../support/usage-records';

jest.setTimeout(300_000);

const total = 100_000;
const inFlight = 128;
const kills = 4;

/** One kind of request: who asks what, and how that ends. */
interface Kind {
  readonly keyId: string;
  readonly secret: string;
  readonly query: string;
  readonly status: 200 | 401 | 403;
  readonly outcome: 'VALID' | 'INSUFFICIENT_SCOPE' | 'EXPIRED' | 'REVOKED';
}

/** What a client knows of its own requests, which are numbered from 1. */
class Ledger {
  /** The last that was sent. */
  sent = 0;
  readonly answered = new Set<number>();
  /** Answered with another status than their kind has. */
  readonly surprises: object[] = [];

  constructor(private readonly kinds: readonly Kind[]) {}

  kindOf(number: number): Kind {
    const kind = this.kinds[number % this.kinds.length];
    if (kind === undefined) throw new Error('no such request');
    return kind;
  }

  /** How many of these requests were of each key and outcome. */
  tally(numbers: Iterable<number>): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const number of numbers) {
      const { keyId, outcome } = this.kindOf(number);
      counts.set(`${keyId} ${outcome}`, (counts.get(`${keyId} ${outcome}`) ?? 0) + 1);
    }
    return counts;
  }

  /** @param status undefined: no answer came */
  note(number: number, status: number | undefined): void {
    if (status === undefined || status === 503) return; // it may be recorded, or not
    if (status === this.kindOf(number).status) this.answered.add(number);
    else this.surprises.push({ ...this.kindOf(number), number, answered: status });
  }
}

const requestIds = {
  of: (number: number) => `exactly-once.${number}`,
  read: (id: string) => Number(/^exactly-once\.(\d+)$/.exec(id)?.[1]),
};

async function makeKinds({ at, database }: Replicas): Promise<readonly Kind[]> {
  const make = async (name: string, scope: string): Promise<Pick<Kind, 'keyId' | 'secret'>> => {
    const { data } = await at(0)<{ createApiKey: { apiKey: { id: string }; secret: string } }>(
      `mutation ($input: CreateApiKeyInput!) {
         createApiKey(input: $input) { apiKey { id } secret } }`,
      { input: { name, scopes: [scope], expiresIn: 'P90D' } },
    );
    return { keyId: data.createApiKey.apiKey.id, secret: data.createApiKey.secret };
  };
  const web = await make('Web shop', 'contacts:read');
  const lister = await make('Key registry', 'api_keys:read');
  const expired = await make('Last quarter', 'contacts:read');
  await age({ database }, expired.keyId, '91 days');
  const revoked = await make('Leaked', 'contacts:read');
  const revocation = `mutation { revokeApiKey(input: { id: "${revoked.keyId}", reason: COMPROMISED }) { apiKey { id } } }`;
  expect((await at(0)(revocation)).errors).toEqual([]);

  const query = '{ __typename }';
  const keys = '{ apiKeys(first: 1) { nodes { id } } }';
  const events = '{ auditEvents { nodes { id } } }';
  return [
    { ...web, query, status: 200, outcome: 'VALID' },
    { ...web, query: '{ viewer { kind } }', status: 200, outcome: 'VALID' },
    { ...web, query: keys, status: 403, outcome: 'INSUFFICIENT_SCOPE' },
    { ...lister, query, status: 200, outcome: 'VALID' },
    { ...lister, query: keys, status: 200, outcome: 'VALID' },
    { ...lister, query: events, status: 403, outcome: 'INSUFFICIENT_SCOPE' },
    { ...expired, query, status: 401, outcome: 'EXPIRED' },
    { ...revoked, query, status: 401, outcome: 'REVOKED' },
  ];
}

test('promise 5: 100,000 requests over two processes, either killed in between, are recorded and counted exactly as their client knows', async () => {
  const replicas = await startReplicas();
  const { database, servers } = replicas;
  const kinds = await makeKinds(replicas);
  const ledger = new Ledger(kinds);
  let restarted = Promise.resolve();

  const client = async (turn: number): Promise<void> => {
    let line: HttpLine | undefined;
    while (ledger.sent < total) {
      if (line?.isOpen !== true) {
        await restarted;
        line = new HttpLine(new URL(servers[turn % 2 === 0 ? 0 : 1].url));
      }
      const number = (ledger.sent += 1);
      const { secret, query } = ledger.kindOf(number);
      ledger.note(number, await line.post(secret, requestIds.of(number), query));
    }
    line?.close();
  };
  const clients = Promise.all(Array.from({ length: inFlight }, async (_, turn) => client(turn)));
  for (let turn = 1; turn <= kills; turn += 1) {
    const share = (total * turn) / (kills + 1);
    await until(`${share} are sent`, () => ledger.sent > share, 120_000);
    restarted = replicas.restart(turn);
    await restarted;
  }
  await clients;

  expect(ledger.surprises).toEqual([]);
  const lost = total - ledger.answered.size;
  expect(lost).toBeGreaterThan(0);
  expect(lost).toBeLessThan(total / 100);
  await expectExactRecords(replicas, ledger);
  await expectCountsOfRecords(database);
  await expectCountsWithin(replicas, ledger);
  await expectToldAlike(replicas, new Set(kinds.map(({ keyId }) => keyId)));
});

/** Every answered request is recorded once, as it was; none that was not sent. */
async function expectExactRecords({ database, adminKey }: Replicas, ledger: Ledger): Promise<void> {
  const rows = await database.sql<{ keyId: string; id: string; outcome: string }>(
    `SELECT api_key_id AS "keyId", request_id AS id, outcome FROM api_key_requests
     WHERE api_key_id <> (SELECT id FROM api_keys WHERE $1 LIKE prefix || '%')`,
    [adminKey],
  );
  const recorded = new Set<number>();
  const wrong = rows.filter(({ keyId, id, outcome }) => {
    const number = requestIds.read(id);
    if (!(number <= ledger.sent) || recorded.has(number)) return true;
    recorded.add(number);
    const kind = ledger.kindOf(number);
    return keyId !== kind.keyId || outcome !== kind.outcome;
  });
  expect(wrong).toEqual([]);
  expect([...ledger.answered].filter((number) => !recorded.has(number))).toEqual([]);
}

/** Of each key and outcome at least what was answered is counted, and at most what was sent. */
async function expectCountsWithin({ database }: Replicas, ledger: Ledger): Promise<void> {
  const rows = await database.sql<{ group: string; requests: number }>(
    `SELECT api_key_id || ' ' || outcome AS group, sum(requests)::int AS requests
     FROM api_key_usage_hours GROUP BY 1`,
  );
  const counted = new Map(rows.map(({ group, requests }) => [group, requests]));
  const sent = ledger.tally(Array.from({ length: ledger.sent }, (_, index) => index + 1));
  const answered = ledger.tally(ledger.answered);
  expect(sent.size).toBe(6);
  for (const [group, atMost] of sent) {
    expect(counted.get(group)).toBeGreaterThanOrEqual(answered.get(group) ?? 0);
    expect(counted.get(group)).toBeLessThanOrEqual(atMost);
  }
}

interface Told {
  readonly apiKey: {
    readonly usage: readonly { readonly allowed: number; readonly refused: number }[];
    readonly requests: {
      readonly nodes: readonly { readonly requestId: string; readonly outcome: string }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    };
  };
}

const tell = `query ($id: ID!, $after: String) {
  apiKey(id: $id) {
    usage(granularity: HOUR) { allowed refused }
    requests(first: 200, after: $after) {
      nodes { requestId outcome }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

/** What the two processes in turn tell of each key, bucket by bucket, page by page, are its records. */
async function expectToldAlike(
  { at, database }: Replicas,
  keyIds: ReadonlySet<string>,
): Promise<void> {
  for (const id of keyIds) {
    const told: string[] = [];
    let usage: Told['apiKey']['usage'] = [];
    let after: string | null = null;
    for (let page = 0; page === 0 || after !== null; page += 1) {
      const answer: Answer<Told> = await at(page)<Told>(tell, { id, after });
      const { requests } = answer.data.apiKey;
      told.push(...requests.nodes.map(({ requestId, outcome }) => `${requestId} ${outcome}`));
      after = requests.pageInfo.hasNextPage ? requests.pageInfo.endCursor : null;
      ({ usage } = answer.data.apiKey);
    }
    const rows = await database.sql<{ record: string }>(
      `SELECT request_id || ' ' || outcome AS record FROM api_key_requests WHERE api_key_id = $1`,
      [id],
    );
    const records = rows.map(({ record }) => record);
    expect(told.sort()).toEqual(records.sort());
    const allowed = records.filter((record) => record.endsWith(' VALID')).length;
    expect(usage.reduce((sum, bucket) => sum + bucket.allowed, 0)).toBe(allowed);
    expect(usage.reduce((sum, bucket) => sum + bucket.refused, 0)).toBe(records.length - allowed);
  }
}
