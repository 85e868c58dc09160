import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { revokeApiKey } from '../support/api-keys';
import { graphql } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { samplesIn, valueOf, type Sample } from '../support/metrics';
import { until } from '../support/process';
import { send, type RawAnswer } from '../support/raw-http';

const token = 'a-token-that-only-prometheus-knows';
const viewer = '{ viewer { kind } }';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward({ KEYWARD_METRICS_TOKEN: token });
});
afterAll(async () => keyward.stop());

async function get(url: string, authorization?: string | string[]): Promise<RawAnswer> {
  const headers = authorization === undefined ? {} : { authorization };
  return send(url, { method: 'GET', path: '/metrics', headers });
}

async function scrape({ url }: { readonly url: string } = keyward): Promise<readonly Sample[]> {
  const answer = await get(url, `Bearer ${token}`);
  expect(answer.status).toBe(200);
  return samplesIn(answer.text);
}

/** By how much a sample grows while work is done; requests are counted a moment after their answer. */
async function growth(
  name: string,
  labels: Sample['labels'],
  work: () => Promise<unknown>,
): Promise<number> {
  const read = async (): Promise<number> => valueOf(await scrape(), name, labels) ?? 0;
  const before = await read();
  await work();
  await until(`${name} has grown`, async () => (await read()) > before);
  return (await read()) - before;
}

describe('who may read metrics', () => {
  test('nobody, unless a setting says so', async () => {
    const silent = await startTestKeyward();
    expect((await get(silent.url)).status).toBe(404);
    expect((await get(silent.url, `Bearer ${silent.adminKey}`)).status).toBe(404);
    expect(silent.metricsUrl).toBeUndefined();
    await silent.stop();
  });

  test('with a token, on the main port, whoever presents it', async () => {
    const answer = await get(keyward.url, `bearer ${token}`);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test.each([
    ['no token', () => undefined],
    ['another token', () => `Bearer ${token}x`],
    ['a part of the token', () => `Bearer ${token.slice(0, -1)}`],
    ['the token under another scheme', () => `Basic ${token}`],
    ['the token twice', () => [`Bearer ${token}`, `Bearer ${token}`]],
    ['a key with full access', () => `Bearer ${keyward.adminKey}`],
  ])('%s is refused, like every other', async (_what, authorization) => {
    const answer = await get(keyward.url, authorization());
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    expect(answer.body.errors?.[0]?.message).toContain('KEYWARD_METRICS_TOKEN');
    expect(answer.text).not.toContain('keyward_');
  });

  test('the door judges no key: presenting one there leaves no record, and no verification', async () => {
    const { id, secret } = await keyward.createKey();
    const verifications = async (): Promise<number> =>
      (await scrape())
        .filter(({ name }) => name === 'keyward_verifications_total')
        .reduce((sum, { value }) => sum + value, 0);
    const before = await verifications();
    await get(keyward.url, `Bearer ${secret}`);
    await get(keyward.url, `Bearer ${token}`);
    expect(await verifications()).toBe(before);
    expect(
      await keyward.database.sql('SELECT 1 FROM api_key_requests WHERE api_key_id = $1', [id]),
    ).toEqual([]);
  });

  test('the token opens nothing else', async () => {
    expect((await keyward.ask(viewer, {}, { key: token })).status).toBe(401);
  });

  test('with a port, whoever reaches it, and nobody on the main port', async () => {
    const own = await startTestKeyward({ KEYWARD_METRICS_PORT: '0' });
    expect(own.metricsUrl).toMatch(/^http:\/\/localhost:\d+\/metrics$/);
    const url = own.metricsUrl?.replace('localhost', '127.0.0.1') ?? '';
    const answer = await get(url);
    expect(answer.status).toBe(200);
    expect(samplesIn(answer.text).length).toBeGreaterThan(50);
    expect((await send(url, { method: 'GET', path: '/graphql' })).status).toBe(404);
    expect((await get(own.url)).status).toBe(404);
    await own.stop();
    await expect(get(url)).rejects.toThrow('ECONNREFUSED');
  });

  test('with a port and a token, whoever reaches the one and presents the other', async () => {
    const own = await startTestKeyward({ KEYWARD_METRICS_PORT: '0', KEYWARD_METRICS_TOKEN: token });
    const url = own.metricsUrl?.replace('localhost', '127.0.0.1') ?? '';
    expect((await get(url)).status).toBe(401);
    expect((await get(url, `Bearer ${token}`)).status).toBe(200);
    expect((await get(own.url, `Bearer ${token}`)).status).toBe(404);
    await own.stop();
  });
});

describe('what is measured', () => {
  test('verifications by outcome', async () => {
    const expired = await keyward.createKey({ expiresIn: 'P1D' });
    await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [
      expired.id,
    ]);
    const revoked = await keyward.createKey();
    await revokeApiKey(keyward, { id: revoked.id, reason: 'OTHER' });
    const unknown = await keyward.createKey();
    await keyward.database.sql(`UPDATE api_keys SET digest = sha256(digest) WHERE id = $1`, [
      unknown.id,
    ]);
    const keys = {
      VALID: (await keyward.createKey()).secret,
      MALFORMED: 'sk_live_nothing',
      UNKNOWN: unknown.secret,
      EXPIRED: expired.secret,
      REVOKED: revoked.secret,
    };
    for (const [outcome, key] of Object.entries(keys)) {
      const ask = async () => keyward.ask(viewer, {}, { key });
      expect([outcome, await growth('keyward_verifications_total', { outcome }, ask)]).toEqual([
        outcome,
        1,
      ]);
    }
    const fail = async () => {
      await keyward.database.sql('ALTER TABLE api_keys RENAME TO broken');
      await keyward.ask(viewer);
      await keyward.database.sql('ALTER TABLE broken RENAME TO api_keys');
    };
    expect(await growth('keyward_verifications_total', { outcome: 'FAILED' }, fail)).toBe(1);
  });

  test('the time of verifications, but of those that are refused without a query', async () => {
    const ask = async () => {
      await keyward.ask(viewer, {}, { key: 'sk_live_nothing' });
      await keyward.ask(viewer);
    };
    expect(await growth('keyward_verification_duration_seconds_count', {}, ask)).toBe(1);
  });

  test('requests by declared path and class of status, and those whose clients went away', async () => {
    const name = 'keyward_http_request_duration_seconds_count';
    const requests: readonly [Sample['labels'], () => Promise<unknown>][] = [
      [{ route: '/graphql', status: '2xx' }, async () => keyward.ask(viewer)],
      [{ route: '/graphql', status: '4xx' }, async () => keyward.ask(viewer, {}, { key: 'none' })],
      [
        { route: '/registry.csv', status: '4xx' },
        async () => send(keyward.url, { method: 'GET', path: '/registry.csv' }),
      ],
      [
        { route: '/livez', status: '2xx' },
        async () => send(keyward.url, { method: 'GET', path: '/livez' }),
      ],
      [
        { route: 'none', status: '4xx' },
        async () => send(keyward.url, { method: 'GET', path: '/anything' }),
      ],
      [{ route: '/graphql', status: 'none' }, async () => leaveEarly()],
    ];
    for (const [labels, ask] of requests) {
      expect([labels, await growth(name, labels, ask)]).toEqual([labels, 1]);
    }
  });

  test('how many look-ups share a query, and how many records a commit', async () => {
    const samples = async (name: string) => valueOf(await scrape(), name) ?? 0;
    const all = async () => ({
      lookUps: await samples('keyward_lookup_batch_size_count'),
      lookedUp: await samples('keyward_lookup_batch_size_sum'),
      commits: await samples('keyward_usage_commit_size_count'),
      committed: await samples('keyward_usage_commit_size_sum'),
    });
    const before = await all();
    await Promise.all(Array.from({ length: 50 }, async () => keyward.ask(viewer)));
    const after = await all();
    expect(after.lookedUp - before.lookedUp).toBe(50);
    expect(after.committed - before.committed).toBe(50);
    expect(after.lookUps - before.lookUps).toBeLessThan(50);
    expect(after.commits - before.commits).toBeLessThan(50);
  });

  test('usage records by outcome, and the time of their commits, also of those that fail', async () => {
    const { secret } = await keyward.createKey();
    const refused = async () => keyward.ask('{ apiKeys { totalCount } }', {}, { key: secret });
    expect(
      await growth('keyward_usage_records_total', { outcome: 'INSUFFICIENT_SCOPE' }, refused),
    ).toBe(1);
    const name = 'keyward_usage_commit_duration_seconds_count';
    expect(await growth(name, { result: 'committed' }, refused)).toBe(1);
    const fail = async () => {
      await keyward.database.sql('ALTER TABLE api_key_requests RENAME TO broken');
      await keyward.ask(viewer);
      await keyward.database.sql('ALTER TABLE broken RENAME TO api_key_requests');
    };
    expect(await growth(name, { result: 'failed' }, fail)).toBe(1);
  });

  test('the connections to the database, and the process', async () => {
    const samples = await scrape();
    const total = valueOf(samples, 'keyward_database_connections') ?? 0;
    expect(total).toBeGreaterThan(0);
    expect(valueOf(samples, 'keyward_database_connections_idle')).toBeLessThanOrEqual(total);
    expect(valueOf(samples, 'keyward_database_connections_waiting')).toBe(0);
    expect(valueOf(samples, 'process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(valueOf(samples, 'nodejs_heap_size_used_bytes')).toBeGreaterThan(0);
  });
});

test('nothing that clients write makes another label: no path, method, name, header, key or organization', async () => {
  const labelled = async () =>
    (await scrape())
      .filter(({ name }) => name.startsWith('keyward_'))
      .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
  await pester('first');
  const before = new Set(await labelled());
  await pester('second');
  expect((await labelled()).filter((each) => !before.has(each))).toEqual([]);
  const values = new Set(
    [...before]
      .flatMap((each) =>
        Object.entries(JSON.parse(each.slice(each.indexOf(' '))) as Sample['labels']),
      )
      .filter(([key]) => key !== 'le')
      .map(([, value]) => value),
  );
  for (const value of values) {
    expect(value).toMatch(
      /^(\/(graphql|livez|readyz|metrics|registry\.(csv|json))|\*|none|[1-5]xx|[A-Z_]+|committed|failed)$/,
    );
  }
});

test('the README lists every metric of ours, with its kind, its labels and what it is', async () => {
  await keyward.ask(viewer); // what has labels is there once something was measured
  const { text } = await get(keyward.url, `Bearer ${token}`);
  const samples = samplesIn(text);
  const metrics = [...text.matchAll(/^# HELP (keyward_\w+) (.+)\n# TYPE \w+ (\w+)$/gm)];
  const rows = metrics.map(([, name = '', help, kind]) => {
    const own = samples.filter(
      (sample) => sample.name.replace(/_(bucket|sum|count)$/, '') === name,
    );
    const labels = new Set(own.flatMap((sample) => Object.keys(sample.labels)));
    labels.delete('le');
    const quoted = [...labels].map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${kind} | ${quoted}${quoted === '' ? '' : ' '}| ${help} |`;
  });
  const readme = readFileSync('README.md', 'utf8').split('\n');
  const listed = readme.filter((line) => line.startsWith('| `keyward_'));
  expect(listed.map((line) => line.replaceAll(/ +/g, ' ')).sort()).toEqual(rows.sort());
});

test('two servers in one process count each for itself', async () => {
  const other = await startTestKeyward({ KEYWARD_METRICS_TOKEN: token });
  await other.ask(viewer);
  expect(valueOf(await scrape(other), 'keyward_verifications_total', { outcome: 'VALID' })).toBe(1);
  expect(
    valueOf(await scrape(), 'keyward_verifications_total', { outcome: 'VALID' }),
  ).toBeGreaterThan(1);
  await other.stop();
});

/** Writes the word wherever a client can write. */
async function pester(word: string): Promise<void> {
  const { secret } = await keyward.createKey({ name: word });
  await keyward.ask(
    `query ${word} { ${word}: viewer { kind } }`,
    { [word]: word },
    {
      key: secret,
      headers: {
        'user-agent': word,
        'x-request-id': `${word}-request`,
        [word]: word,
        traceparent: word,
      },
    },
  );
  await graphql(keyward.url, { query: `{ ${word} }`, operationName: word }, { key: word });
  for (const method of ['GET', 'POST', 'PUT', 'PROPFIND', 'OPTIONS', 'HEAD']) {
    for (const path of [
      `/${word}`,
      `/graphql/${word}`,
      `/graphql?${word}=${word}`,
      `/registry.csv?${word}`,
    ]) {
      await send(keyward.url, { method, path, headers: { host: word, origin: `http://${word}` } });
    }
  }
}

/** Sends the head of a request whose body never comes, and goes. */
async function leaveEarly(): Promise<void> {
  const { port, hostname } = new URL(keyward.url.replace('localhost', '127.0.0.1'));
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
  );
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.destroySoon();
}
