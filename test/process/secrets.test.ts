import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connect as connectTo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from 'pg';
import { startCollector } from '../support/collector';
import { dataDirectory, serve, until, type Server } from '../support/process';

jest.setTimeout(60_000);

/** Everything Keyward has answered, but for the secrets' own creation. */
const answers: string[] = [];
const secrets: string[] = [];
const metricsToken = 'a-token-that-only-prometheus-knows';

const creation = `mutation Create($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { id } secret } }`;

interface Sent {
  readonly body: string | object;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly method?: string;
}

/** Sends anything; the whole answer, headers included, as text. */
async function send(server: Server, sent: Sent): Promise<{ status: number; text: string }> {
  const { body, key, headers, path = '/graphql', method = 'POST' } = sent;
  const response = await fetch(new URL(path, server.url), {
    method,
    headers: {
      'content-type': 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...headers,
    },
    ...(method === 'POST' && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = `${JSON.stringify([...response.headers])}\n${await response.text()}`;
  return { status: response.status, text };
}

async function sendSecretly(server: Server, sent: Sent): Promise<number> {
  const { status, text } = await send(server, sent);
  answers.push(text);
  return status;
}

/** Sends bytes that are no HTTP as far as Node goes; what is answered. */
async function sendBytes(server: Server, bytes: string): Promise<void> {
  const socket = connectTo(Number(new URL(server.url).port), '127.0.0.1');
  socket.end(bytes);
  answers.push(await text(socket));
}

async function create(server: Server, key: string, input: object) {
  const { text } = await send(server, { key, body: { query: creation, variables: { input } } });
  const secret = /"secret":"(\w+)"/.exec(text)?.[1] ?? '';
  answers.push(secret === '' ? text : text.replace(secret, ''));
  if (secret !== '') secrets.push(secret);
  return { id: /"id":"([\w-]+)"/.exec(text)?.[1] ?? '', secret };
}

/** A connection to the embedded database, as whoever has its folder can make one. */
async function connect(directory: string): Promise<Client> {
  const pidFile = readFileSync(join(directory, 'postgres', 'data', 'postmaster.pid'), 'utf8');
  const client = new Client({
    host: '127.0.0.1',
    port: Number(pidFile.split('\n')[3]),
    user: 'keyward',
    database: 'keyward',
    password: readFileSync(join(directory, 'password'), 'utf8').trim(),
  });
  client.on('error', () => undefined); // should the test fail, the server stops under it
  await client.connect();
  return client;
}

async function dump(client: Client): Promise<string> {
  const tables = await client.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of tables.rows) {
    const rows = await client.query<{ text: string }>(
      `SELECT row_to_json(each)::text AS text FROM ${name} AS each`,
    );
    texts.push(name, ...rows.rows.map(({ text }) => text));
  }
  return texts.join('\n');
}

function filesIn(directory: string): Buffer[] {
  const entries = readdirSync(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

test('promise 1: a secret is in its one answer and nowhere else, whatever is done with it', async () => {
  const KEYWARD_DATA_DIR = dataDirectory();
  const collector = await startCollector();
  const server = await serve({
    KEYWARD_DATA_DIR,
    KEYWARD_LOG_LEVEL: 'trace',
    KEYWARD_METRICS_TOKEN: metricsToken,
    KEYWARD_OTLP_ENDPOINT: collector.url,
    KEYWARD_TRUST_PROXY: '127.0.0.0/8,::1', // so that X-Forwarded-For is read
  });
  const admin = server.adminKey ?? '';
  secrets.push(admin);
  const database = await connect(KEYWARD_DATA_DIR);

  await useInEveryWay(server, admin);
  await breakTheDatabase(server, admin, database);

  const authorization = `Bearer ${metricsToken}`;
  const { text: metrics } = await send(server, {
    ...{ method: 'GET', path: '/metrics', body: '', headers: { authorization } },
  });
  expect(metrics).toContain('keyward_verifications_total');
  const texts = await dump(database);
  expect(texts).toContain('"redacted"');
  await database.query('CHECKPOINT');
  await database.end();
  const pepper = readFileSync(join(KEYWARD_DATA_DIR, 'pepper'), 'utf8').trim();
  const { code, stdout, stderr } = await server.stop();
  expect(code).toBe(0);
  await collector.stop();
  const traces = collector.text();
  const signals = { stderr, metrics, traces };
  const files = filesIn(KEYWARD_DATA_DIR);
  expect(files.length).toBeGreaterThan(500);

  expect(stdout.split(admin)).toHaveLength(2);
  const said = { answers: answers.join('\n'), ...signals, database: texts };
  for (const secret of secrets) {
    expect(secret).toMatch(/^sk_(live|test)_\w{39}$/);
    const body = secret.slice('sk_live_'.length);
    expect(placesOf(said, body)).toEqual([]);
    expect(files.filter((bytes) => bytes.includes(body))).toEqual([]);
    const digest = createHmac('sha256', pepper).update(secret).digest();
    expect(texts).toContain(digest.toString('hex')); // so that the next line looks for the right thing
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      expect(placesOf(signals, digest.toString(encoding).replace(/=+$/, ''))).toEqual([]);
    }
  }
  // Nor those that no client ever saw: of a creation that failed after its key was made.
  expect(placesOf(said, /sk_(live|test)_\w{39}/)).toEqual([]);
  // PostgreSQL quotes at most 64 characters of each value of a row that it refuses.
  expect(placesOf(signals, /[\da-f]{48}|"type":"Buffer"/)).toEqual([]);
  expect(placesOf(signals, /\b(Bearer|Basic|Digest) /i)).toEqual([]);
  expect(placesOf({ ...said, stdout }, pepper)).toEqual([]);
  expect(placesOf({ ...said, stdout }, metricsToken)).toEqual([]);
  // Nor are these simply empty.
  expect(stderr).toMatch(/a request met an error/);
  expect(stderr).toMatch(/a request was answered/);
  expect(traces).toContain('commit usage');
});

async function useInEveryWay(server: Server, admin: string): Promise<void> {
  const input = { name: 'Secret', scopes: ['contacts:read'], idempotencyKey: 'once-and-again' };
  const first = await create(server, admin, input);
  const replay = { query: creation, variables: { input } };
  expect(await sendSecretly(server, { key: admin, body: replay })).toBe(200);
  const second = await create(server, admin, {
    ...input,
    environment: 'TEST',
    idempotencyKey: 'x',
  });
  const revocation = `mutation { revokeApiKey(input: { id: "${second.id}", reason: OTHER }) { apiKey { id } } }`;
  expect(await sendSecretly(server, { key: admin, body: { query: revocation } })).toBe(200);

  const viewer = '{ viewer { kind apiKey { name redacted prefix } } }';
  const mistyped = first.secret.replace(/.$/, (last) => (last === 'x' ? 'y' : 'x'));
  const lists = '{ apiKeys { nodes { id name prefix redacted metadata } } scopes { name } }';
  const asVariable = {
    input: { name: first.secret, scopes: [first.secret], secret: first.secret },
  };
  const refused = { name: 'N', scopes: ['no:such'], metadata: { key: first.secret } };
  const sent: readonly [number, Sent][] = [
    [200, { key: first.secret, body: { query: viewer } }],
    [403, { key: first.secret, body: { query: '{ apiKeys { totalCount } }' } }],
    [200, { key: admin, body: { query: lists } }],
    [401, { key: second.secret, body: { query: viewer } }],
    [401, { key: mistyped, body: { query: viewer } }],
    [401, { body: { query: viewer }, headers: { authorization: `Basic ${first.secret}` } }],
    [
      200,
      { body: { query: viewer }, headers: { 'x-request-id': first.secret, cookie: first.secret } },
    ],
    [200, { key: first.secret, body: { query: viewer }, headers: { 'user-agent': first.secret } }],
    [
      200,
      { key: first.secret, body: { query: viewer }, headers: { 'x-request-id': first.secret } },
    ],
    [200, { key: first.secret, body: { query: viewer }, headers: everyHeader(first.secret) }],
    [406, { key: first.secret, body: { query: viewer }, headers: { accept: first.secret } }],
    [401, { body: { query: viewer }, headers: { authorization: `Digest ${first.secret}` } }],
    [
      401,
      { body: { query: viewer }, headers: { authorization: `Bearer ${first.secret}, ${admin}` } },
    ],
    [415, { key: admin, body: '{}', headers: { 'content-type': `text/${first.secret}` } }],
    [401, { key: first.secret, body: '', path: '/metrics', method: 'GET' }],
    [401, { body: '', path: `/metrics?token=${first.secret}`, method: 'GET' }],
    [403, { key: first.secret, body: '', path: `/registry.csv?${first.secret}`, method: 'GET' }],
    [200, { key: first.secret, body: { query: `query ${first.secret} ${viewer}` } }],
    [200, { key: first.secret, body: { query: viewer, operationName: first.secret } }],
    [200, { key: first.secret, body: { query: `{ ${first.secret} }` } }],
    [200, { key: first.secret, body: { query: `{ viewer { kind } } ${first.secret}` } }],
    [200, { key: admin, body: { query: creation, variables: asVariable } }],
    [200, { key: admin, body: { query: creation, variables: { input: first.secret } } }],
    [200, { key: admin, body: { query: creation, variables: { input: refused } } }],
    [400, { key: admin, body: { query: creation, variables: first.secret } }],
    [400, { key: admin, body: `{"query":"{ viewer { kind } }","variables":${first.secret}}` }],
    [400, { key: admin, body: first.secret }],
    [404, { body: '', path: `/${first.secret}`, method: 'GET' }],
    [200, { body: '', path: `/graphql?query=${first.secret}`, method: 'GET' }],
    [200, { body: '', path: `/graphql?query={viewer{kind}}&key=${first.secret}`, method: 'GET' }],
    [200, { key: admin, body: { query: `{ apiKey(id: "${first.secret}") { id } }` } }],
    [200, { key: admin, body: { query: `{ apiKeys(after: "${first.secret}") { totalCount } }` } }],
  ];
  const statuses: number[] = [];
  for (const [, each] of sent) statuses.push(await sendSecretly(server, each));
  expect(statuses).toEqual(sent.map(([status]) => status));
  const head = `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${first.secret}\r\n`;
  await sendBytes(server, `${head}${first.secret} : malformed\r\n\r\n`);
  await sendBytes(server, `${head}X: ${first.secret}${'x'.repeat(20_000)}\r\n\r\n`);
  await sendBytes(server, `GET /%E0${first.secret}%A4 HTTP/1.1\r\nHost: x\r\n\r\n`);
  await sendBytes(server, `${first.secret} / HTTP/1.1\r\n\r\n`);
}

/** Headers that somebody reads, each with the secret in it. */
function everyHeader(secret: string): Readonly<Record<string, string>> {
  const names = ['traceparent', 'referer', 'x-forwarded-for'];
  const headers = Object.fromEntries(names.map((name) => [name, secret]));
  return { ...headers, tracestate: `vendor=${secret}`, baggage: `key=${secret}` };
}

/** Lost connections, and a statement whose refusal quotes the whole row. */
async function breakTheDatabase(server: Server, admin: string, database: Client): Promise<void> {
  await database.query(
    `ALTER TABLE api_keys ADD CONSTRAINT unbroken CHECK (name <> 'Breaks') NOT VALID`,
  );
  const variables = { input: { name: 'Breaks', scopes: ['contacts:read'], idempotencyKey: 'b' } };
  const body = { query: creation, variables };
  const masked = await send(server, { key: admin, body });
  answers.push(masked.text);
  expect(masked.text).toContain('INTERNAL_SERVER_ERROR');

  const aliased = `query ${admin} { ${admin}: auditEvents { nodes { id } } }`;
  await database.query('ALTER TABLE audit_events RENAME TO broken');
  // GraphQL gives a client its own aliases back; only the log is of interest.
  expect((await send(server, { key: admin, body: { query: aliased } })).status).toBe(200);
  await database.query('ALTER TABLE broken RENAME TO audit_events');

  const creations = Array.from({ length: 20 }, async (_, index) =>
    create(server, admin, { name: `Cut off ${index}`, scopes: ['contacts:read'] }),
  );
  await database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keyward'`,
  );
  await Promise.all(creations);
  await until('it has recovered', async () => {
    const viewer = { query: '{ viewer { kind } }' };
    return (await sendSecretly(server, { key: admin, body: viewer })) === 200;
  });
}

function placesOf(said: Readonly<Record<string, string>>, what: string | RegExp): string[] {
  return Object.entries(said).flatMap(([place, text]) => {
    const at = typeof what === 'string' ? text.indexOf(what) : text.search(what);
    return at === -1 ? [] : [`${place}: …${text.slice(Math.max(0, at - 80), at + 60)}`];
  });
}
