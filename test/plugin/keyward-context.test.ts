import { createServer } from 'node:http';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { enforceScopes, keywardContext, type KeywardOptions } from '../../src/plugin/subgraph';
import { created, revokeApiKey, type ShownKey } from '../support/api-keys';
import { close, listen } from '../support/deployments-subgraph';
import { graphql, type Answer } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import {
  contactsSchema,
  startOnApollo,
  startOnYoga,
  type TestSubgraph,
} from '../support/protected-subgraphs';
import { startProxy } from '../support/proxy';
import { send } from '../support/raw-http';
import { startRecorder, type Recorder } from '../support/recorder';
import { recordsOf, unknownKey } from '../support/verifications';

let keyward: TestKeyward;
let recorder: Recorder;
let options: KeywardOptions;
let warnings: string[] = [];
let reader: { apiKey: ShownKey; secret: string };
beforeAll(async () => {
  keyward = await startTestKeyward();
  recorder = await startRecorder(keyward.url);
  const { secret } = await keyward.createKey({ scopes: ['api_keys:verify'] });
  options = {
    url: recorder.url,
    key: secret,
    service: 'contacts',
    deadlineMs: 10_000,
    warn: (reason) => warnings.push(reason),
  };
  reader = await created(keyward, { name: 'Reader', expiresIn: 'P1D' });
});
afterAll(async () => {
  await recorder.stop();
  await keyward.stop();
});

type Start = (schema: GraphQLSchema, options: KeywardOptions) => Promise<TestSubgraph>;
const onApollo: Start = async (schema, given) => startOnApollo(schema, keywardContext(given));
const onYoga: Start = async (schema, given) => startOnYoga(schema, keywardContext(given));

describe.each([
  ['Apollo Server', onApollo],
  ['GraphQL Yoga', onYoga],
])('keywardContext on %s', (server, start) => {
  let subgraph: TestSubgraph;
  beforeAll(async () => {
    subgraph = await start(enforceScopes(contactsSchema()), options);
  });
  beforeEach(() => {
    recorder.clear();
    warnings = [];
  });
  afterAll(async () => subgraph.stop());

  const ask = async (
    query: string,
    key: string | null,
    at: Pick<TestSubgraph, 'url'> = subgraph,
  ): Promise<Answer<Record<string, unknown>>> => graphql(at.url, { query }, { key });

  /** What a subgraph answers that asks Keyward with other options. */
  const askWith = async (
    changed: Partial<KeywardOptions>,
  ): Promise<Answer<Record<string, unknown>>> => {
    const other = await start(enforceScopes(contactsSchema()), { ...options, ...changed });
    try {
      return await ask('{ members greeting }', reader.secret, other);
    } finally {
      await other.stop();
    }
  };

  test('says whose key a request carries, where it belongs and what it may do', async () => {
    const { data } = await ask('{ caller }', reader.secret);
    const { id, name, environment, expiresAt, organization } = reader.apiKey;
    expect(JSON.parse(String(data.caller))).toEqual({
      apiKey: { id, name, environment, expiresAt },
      organization: { id: organization.id },
      environment,
      scopes: ['contacts:read'],
    });
  });

  test('expands full access to the whole catalogue, as Keyward does', async () => {
    const { data } = await ask('{ contacts { name phone } }', keyward.adminKey);
    expect(data).toEqual({
      contacts: [
        { name: 'Ada', phone: '555-1' },
        { name: 'Grace', phone: '555-2' },
      ],
    });
  });

  test('says nothing of a caller without credentials, and does not ask Keyward', async () => {
    const { data } = await ask('{ caller }', null);
    expect(JSON.parse(String(data.caller))).toEqual({
      ...{ apiKey: null, organization: null, environment: null, scopes: [] },
    });
    expect(recorder.requests).toEqual([]);
  });

  test.each([
    ['MALFORMED', async () => 'nonsense'],
    ['MALFORMED', async () => 'x'.repeat(5000)],
    ['UNKNOWN', async () => unknownKey()],
    [
      'EXPIRED',
      async () => {
        const { id, secret } = await keyward.createKey({ expiresIn: 'P1D' });
        await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [id]);
        return secret;
      },
    ],
  ])('refuses a key that is %s as Keyward itself does', async (reason, make) => {
    const key = await make();
    const own = await graphql(keyward.url, { query: '{ viewer { kind } }' }, { key });
    const { status, headers, body } = await ask('{ greeting }', key);
    expect([status, headers.get('www-authenticate')]).toEqual([
      own.status,
      own.headers.get('www-authenticate'),
    ]);
    expect([status, headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer error="invalid_token"',
    ]);
    const extensions = { code: 'UNAUTHENTICATED', reason };
    expect(body.data ?? null).toBeNull();
    expect(body.errors).toMatchObject([{ message: own.errors[0]?.message, extensions }]);
    expect(body.errors?.[0]?.extensions).not.toHaveProperty('http');
  });

  test('refuses a revoked key at the very next request', async () => {
    const { id, secret } = await keyward.createKey();
    expect((await ask('{ contacts { id } }', secret)).status).toBe(200);
    await revokeApiKey(keyward, { id });
    const { status, errors } = await ask('{ contacts { id } }', secret);
    expect(status).toBe(401);
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED', reason: 'REVOKED' } }]);
  });

  test.each([
    ['bearer', [`bearer KEY`], 200],
    ['BEARER', [`BEARER   KEY`], 200],
    ['another scheme', [`Basic KEY`], 401],
    ['no scheme', ['KEY'], 401],
    ['two headers', [`Bearer KEY`, `Bearer KEY`], 400],
  ])('reads the Authorization header as Keyward does: %s', async (_what, values, status) => {
    const authorization = values.map((value) => value.replace('KEY', reader.secret));
    const headers = { 'content-type': 'application/json', authorization };
    const body = JSON.stringify({ query: '{ greeting }' });
    const own = await send(keyward.url, {
      headers,
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    expect((await send(subgraph.url, { headers, body })).status).toBe(own.status);
    expect(own.status).toBe(status);
  });

  test('refuses a field for want of a scope as Keyward itself does, and its siblings survive', async () => {
    const { status, data, errors } = await ask(
      '{ greeting contacts { name phone } }',
      reader.secret,
    );
    expect(status).toBe(200);
    expect(data).toEqual({
      greeting: 'hello',
      contacts: [
        { name: 'Ada', phone: null },
        { name: 'Grace', phone: null },
      ],
    });
    expect(errors.map(({ path }) => path)).toEqual([
      ['contacts', 0, 'phone'],
      ['contacts', 1, 'phone'],
    ]);
    expect(errors[0]).toMatchObject({
      message:
        'This needs a scope that the key does not have: contacts:write, or conversations:read.',
      extensions: {
        code: 'UNAUTHORIZED_FIELD_OR_TYPE',
        reason: 'INSUFFICIENT_SCOPE',
        requiredScopes: [['contacts:read', 'contacts:write'], ['conversations:read']],
        missingScopes: [['contacts:write'], ['conversations:read']],
      },
    });
  });

  test('refuses protected fields to a caller without credentials, and their siblings survive', async () => {
    const { data, errors } = await ask('{ greeting members contacts { name } }', null);
    expect(data).toEqual({ greeting: 'hello', members: null, contacts: null });
    const extensions = { code: 'UNAUTHORIZED_FIELD_OR_TYPE', reason: 'UNAUTHENTICATED' };
    expect(errors).toMatchObject([
      { path: ['members'], extensions },
      { path: ['contacts'], extensions },
    ]);
  });

  test('leaves a usage record under the name of the service that asked', async () => {
    const headers = {
      'x-request-id': `contacts-${server.replace(/\W/g, '')}`,
      'user-agent': 'curl/8',
    };
    await graphql(subgraph.url, { query: '{ greeting }' }, { key: reader.secret, headers });
    expect(await recordsOf(keyward, headers['x-request-id'])).toMatchObject([
      { apiKeyId: reader.apiKey.id, service: 'contacts', outcome: 'VALID', userAgent: 'curl/8' },
    ]);
  });

  test('asks over one connection, anew for each request', async () => {
    for (let asked = 0; asked < 3; asked += 1) await ask('{ greeting }', reader.secret);
    expect(recorder.requests).toHaveLength(3);
    expect(new Set(recorder.requests.map(({ port }) => port)).size).toBe(1);
  });

  test('merges what concurrent clients ask while Keyward is being asked, each with its own answer', async () => {
    const release = recorder.hold();
    const secrets = [reader.secret, unknownKey(), keyward.adminKey];
    const asked = Array.from({ length: 60 }, async (_, index) =>
      ask('{ contacts { name } }', secrets[index % 3] ?? null),
    );
    while (recorder.requests.length < 2) await new Promise(setImmediate);
    release();
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses).toEqual(asked.map((_, index) => (index % 3 === 1 ? 401 : 200)));
    expect(recorder.requests.length).toBeLessThan(30);
  });

  const unavailable = {
    message: 'Who is calling cannot be checked just now. Send the request again.',
    extensions: { code: 'UNAVAILABLE' },
  };
  const expectUnavailable = ({ status, headers, body }: Answer<unknown>): void => {
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(body.data ?? null).toBeNull();
    expect(body.errors).toMatchObject([unavailable]);
  };

  test('answers 503 when Keyward is not there, and tells the operators', async () => {
    const proxy = await startProxy(keyward.url);
    proxy.refuse(true);
    expectUnavailable(await askWith({ url: proxy.url }));
    expect(warnings).toEqual([expect.stringMatching(/^Keyward cannot be asked: /)]);
    proxy.close();
  });

  test.each([
    ['lacks api_keys:verify', () => reader.secret, '403: This needs a scope'],
    ['is none', unknownKey, '401: The API key is not valid'],
  ])(
    "answers 503 when the plugin's own key %s, and tells the operators",
    async (_what, keyOf, reason) => {
      expectUnavailable(await askWith({ key: keyOf() }));
      expect(warnings).toEqual([expect.stringContaining(`it answers with ${reason}`)]);
    },
  );

  test.each([
    ['no JSON', 200, '<html>Welcome</html>', 'JSON'],
    ['JSON of another shape', 200, '{"verifications":[{"valid":true}]}', 'something else'],
    ['about nobody', 200, '{"verifications":[]}', 'something else'],
    ['a gateway’s error', 502, 'Bad Gateway', '502'],
    ['a redirection', 302, '', 'fetch failed'],
  ])('answers 503 when what answers is not Keyward: %s', async (_what, status, text, reason) => {
    const http = createServer((_request, response) => {
      response.writeHead(status, status === 302 ? { location: keyward.url } : {}).end(text);
    });
    const url = await listen(http);
    expectUnavailable(await askWith({ url }));
    expect(warnings).toEqual([expect.stringContaining(reason)]);
    await close(http);
  });

  test('answers 503 within its deadline on a half-open connection, and never uses it again', async () => {
    const other = await start(enforceScopes(contactsSchema()), { ...options, deadlineMs: 2000 });
    const release = recorder.hold();
    expectUnavailable(await ask('{ members }', reader.secret, other));
    release();
    const { data } = await ask('{ members }', reader.secret, other);
    expect(data).toEqual({ members: 'welcome' });
    const [first, second] = recorder.requests.map(({ port }) => port);
    expect(first).not.toBe(second);
    await other.stop();
  });

  test('recovers by itself when a connection breaks and when Keyward comes back', async () => {
    const proxy = await startProxy(keyward.url);
    const other = await start(enforceScopes(contactsSchema()), {
      ...{ ...options, url: proxy.url, deadlineMs: 2000 },
    });
    const status = async (): Promise<number> =>
      (await ask('{ members }', reader.secret, other)).status;
    expect(await status()).toBe(200);
    proxy.freeze(true);
    expect(await status()).toBe(503);
    proxy.freeze(false);
    expect(await status()).toBe(200);
    proxy.cut();
    expect(await status()).toBe(200);
    proxy.refuse(true);
    proxy.cut();
    expect(await status()).toBe(503);
    proxy.refuse(false);
    expect(await status()).toBe(200);
    await other.stop();
    proxy.close();
  });
});

test('a hundred questions at most go out together, the first at once', async () => {
  recorder.clear();
  const context = keywardContext(options);
  const rawHeaders = ['Authorization', `Bearer ${reader.secret}`];
  const callers = await Promise.all(
    Array.from({ length: 250 }, async () => context({ req: { rawHeaders } })),
  );
  expect(callers.every(({ apiKey }) => apiKey?.id === reader.apiKey.id)).toBe(true);
  const sizes = recorder.requests.map(({ body }) => {
    const { verifications } = JSON.parse(body) as { verifications: unknown[] }; // it was sent by us
    return verifications.length;
  });
  expect(sizes).toEqual([1, 100, 100, 49]);
});

test('no client can have the questions of others refused, whatever it sends with its own', async () => {
  const context = keywardContext({
    ...options,
    clientIp: ({ params }) => params?.operationName ?? undefined,
  });
  const hostile: readonly [key: string, operationName: string, ...headers: string[]][] = [
    [reader.secret, '\u0000\ud800'.repeat(5000)],
    [reader.secret, 'fe80::1%eth0', 'x-request-id', reader.secret],
    [reader.secret, '"__proto__":', 'user-agent', '\u00ff'.repeat(5000)],
    ['\\'.repeat(512), 'x', 'x-request-id', 'x'.repeat(5000)],
    ['"__proto__":', '9'.repeat(5000)],
  ];
  const ask = async (key: string, operationName?: string, ...headers: string[]): Promise<unknown> =>
    context({
      req: { rawHeaders: ['authorization', `Bearer ${key}`, ...headers] },
      params: { operationName },
    }).then(
      ({ apiKey }) => apiKey?.id,
      (error: unknown) => (error instanceof GraphQLError ? error.extensions.reason : error),
    );
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      hostile.flatMap((each) => [ask(reader.secret), ask(...each)]),
    ).flat(),
  );
  const { id } = reader.apiKey;
  const expected = [id, id, id, id, id, id, id, 'MALFORMED', id, 'MALFORMED'];
  expect(answers).toEqual(answers.map((_, index) => expected[index % expected.length]));
});

test('no two requests share a context: what a server adds to one is not seen by another', async () => {
  const context = keywardContext(options);
  for (const rawHeaders of [[], ['Authorization', `Bearer ${reader.secret}`]]) {
    const [first, second] = [
      await context({ req: { rawHeaders } }),
      await context({ req: { rawHeaders } }),
    ];
    expect(first).not.toBe(second);
    expect(first).toEqual(second);
  }
});

test.each([
  ['url', { url: 'keyward:4000' }],
  ['url', { url: 'ftp://keyward/graphql' }],
  ['key', { key: '' }],
  ['key', { key: 'two words' }],
  ['service', { service: '' }],
  ['deadlineMs', { deadlineMs: 0 }],
])('an option that cannot be used is named at once, without its value: %s', (name, wrong) => {
  const make = (): unknown => keywardContext({ ...options, ...wrong });
  expect(make).toThrow(`${name}: `);
  expect(make).not.toThrow('two words');
});
