import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mintKey } from '../../src/keys/key-secret';
import { created, revokeApiKey } from '../support/api-keys';
import { graphql } from '../support/http';
import { startIdentityProvider } from '../support/identity-provider';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';
import { startProxy } from '../support/proxy';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

type Members = Readonly<Record<string, unknown>>;
type Headers = Readonly<Record<string, readonly string[]>>;

interface Message extends Members {
  readonly stage: string;
  readonly headers: Headers;
  readonly context: { readonly entries: Members };
}

interface Viewer {
  readonly user: { readonly id: string };
  readonly organization: { readonly id: string };
  readonly scopes: readonly string[];
}

interface Answer extends Members {
  readonly control?: 'continue' | { readonly break: number };
  readonly context?: { readonly entries: Members };
  readonly headers?: Headers;
}

const claims = 'apollo::authentication::jwt_claims';
const formerClaims = 'apollo_authentication::JWT::claims';
const requestStages = ['router-request', 'supergraph-request'] as const;

/** A message as a router sends it, built from Apollo's documentation of the protocol. */
function recorded(name: string): Message {
  const path = join(__dirname, 'coprocessor', `${name}.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as Message; // the files beside this test
}

/** The message with more headers. */
function sentWith(message: Message, headers: Headers): Message {
  return { ...message, headers: { ...message.headers, ...headers } };
}

/** The message with the key in its header. */
function sentWithKey(name: string, key: string): Message {
  return sentWith(recorded(name), { authorization: [`Bearer ${key}`] });
}

/** The message with more entries in its context. */
function knowing(message: Message, entries: Members): Message {
  return { ...message, context: { entries: { ...message.context.entries, ...entries } } };
}

async function post(message: unknown, { url = keyward.url, query = '' } = {}): Promise<Response> {
  return fetch(new URL(`/coprocessor${query}`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(message),
  });
}

/** Asks as a router does; throws when a router would take the answer for a failure. */
async function ask(message: Message, where?: { url?: string; query?: string }): Promise<Answer> {
  const response = await post(message, where);
  const answer = (await response.json()) as Answer; // a router expects so
  const { version, stage, id } = message;
  expect([response.status, answer]).toMatchObject([200, { version, stage, id }]);
  return answer;
}

/** The refusal in an answer, its body read as the client gets it. */
function refusalIn(message: Message, { control, headers, body }: Answer): unknown {
  // Whole texts at the first stage, objects at the second: a router fails the request otherwise.
  expect(typeof body).toBe(message.stage === 'RouterRequest' ? 'string' : 'object');
  const read: unknown = typeof body === 'string' ? JSON.parse(body) : body;
  return { control, headers, body: read };
}

const neverIssued = (): string => mintKey({ prefix: 'sk', showEnvironment: true }, 'LIVE').secret;

describe.each(requestStages)('at the stage of the recorded message %s', (name) => {
  test('a valid key becomes claims, and everything else stays as it was', async () => {
    const scopes = ['contacts:read', 'agents:read'];
    const { apiKey, secret } = await created(keyward, { scopes, environment: 'TEST' });
    const message = sentWithKey(name, secret);
    const answer = await ask(message);
    expect(answer.control).toBe('continue');
    expect(answer.context).toEqual({
      entries: {
        ...message.context.entries,
        [claims]: {
          sub: apiKey.id,
          scope: expect.stringMatching(/^\S+ \S+$/) as string,
          organization_id: apiKey.organization.id,
          environment: 'TEST',
        },
      },
    });
    const { scope } = answer.context?.entries[claims] as { scope: string }; // seen above
    expect(scope.split(' ').sort()).toEqual([...scopes].sort());
    // What is left out stays as it is in the router: neither body nor key travels back.
    expect(Object.keys(answer).sort()).toEqual(['context', 'control', 'id', 'stage', 'version']);
  });

  test('full access is expanded, for a router knows no catalogue', async () => {
    const { context } = await ask(sentWithKey(name, keyward.adminKey));
    const { scope } = context?.entries[claims] as { scope: string };
    expect(scope.split(' ')).toEqual(
      expect.arrayContaining(['admin:full', 'contacts:read', 'contacts:write', 'api_keys:write']),
    );
  });

  test('a request without credentials goes on without claims', async () => {
    const message = recorded(name);
    const { control, context } = await ask(message);
    expect(control).toBe('continue');
    expect(context).toEqual(message.context);
  });

  test('a person’s token becomes claims, too', async () => {
    const provider = await startIdentityProvider();
    const replica = await keyward.startReplica(provider.settings);
    const token = await provider.issue({ sub: 'jane', org_id: name, role: 'admin' });
    const { context } = await ask(sentWithKey(name, token), { url: replica.graphqlUrl });
    const { data } = await graphql<{ viewer: Viewer }>(
      replica.graphqlUrl,
      { query: '{ viewer { user { id } organization { id } scopes } }' },
      { key: token },
    );
    const { user, organization, scopes } = data.viewer;
    expect(context?.entries[claims]).toEqual({
      ...{ sub: user.id, scope: scopes.join(' '), organization_id: organization.id },
      environment: 'LIVE',
    });
    await provider.stop();
  });

  test('claims that were there before are taken out or overwritten, under either name', async () => {
    const forged = { scope: 'admin:full', sub: 'somebody else' };
    const entries = { [claims]: forged, [formerClaims]: forged };
    const nobody = await ask(knowing(recorded(name), entries));
    expect(nobody.context).toEqual(recorded(name).context);

    const { id, secret } = await keyward.createKey({ scopes: ['contacts:read'] });
    const somebody = await ask(knowing(sentWithKey(name, secret), entries));
    expect(somebody.context?.entries[claims]).toMatchObject({ sub: id, scope: 'contacts:read' });
    expect(somebody.context?.entries).not.toHaveProperty([formerClaims]);
  });

  test.each(['MALFORMED', 'UNKNOWN', 'EXPIRED', 'REVOKED'])(
    'a bad key is refused with 401 and told why: %s',
    async (reason) => {
      const { apiKey, secret } = await created(keyward);
      if (reason === 'REVOKED') await revokeApiKey(keyward, { id: apiKey.id });
      if (reason === 'EXPIRED') {
        const expire = 'UPDATE api_keys SET expires_at = now() WHERE id = $1';
        await keyward.database.sql(expire, [apiKey.id]);
      }
      const presented = { MALFORMED: 'nonsense', UNKNOWN: neverIssued() }[reason] ?? secret;
      const message = sentWithKey(name, presented);
      expect(refusalIn(message, await ask(message))).toMatchObject({
        control: { break: 401 },
        headers: {
          'www-authenticate': ['Bearer error="invalid_token"'],
          'content-type': ['application/json; charset=utf-8'],
          'cache-control': ['no-store'],
        },
        body: {
          errors: [{ extensions: { code: 'UNAUTHENTICATED', reason, requestId: message.id } }],
        },
      });
    },
  );

  test('a revoked key is refused at the very next request', async () => {
    const { apiKey, secret } = await created(keyward);
    expect(await ask(sentWithKey(name, secret))).toMatchObject({ control: 'continue' });
    await revokeApiKey(keyward, { id: apiKey.id });
    expect(await ask(sentWithKey(name, secret))).toMatchObject({ control: { break: 401 } });
  });

  test('more than one Authorization header is refused with 400, under whichever names', async () => {
    const good = `Bearer ${keyward.adminKey}`;
    for (const headers of [
      { authorization: [good, good] },
      { authorization: [good], Authorization: ['Bearer nonsense'] },
    ]) {
      const message = sentWith(recorded(name), headers);
      expect(refusalIn(message, await ask(message))).toMatchObject({
        control: { break: 400 },
        body: { errors: [{ extensions: { code: 'BAD_USER_INPUT', field: 'Authorization' } }] },
      });
    }
  });

  test('scheme and header are read in any case', async () => {
    const { id, secret } = await keyward.createKey();
    const message = sentWith(recorded(name), { Authorization: [`bEARER ${secret}`] });
    const { context } = await ask(message);
    expect(context?.entries[claims]).toMatchObject({ sub: id });
  });

  test('when the database is away, requests with a key are refused with 503, others go on', async () => {
    const proxy = await startProxy(keyward.database.url);
    const { graphqlUrl: url } = await keyward.startReplica({ DATABASE_URL: proxy.url });
    const { secret } = await keyward.createKey();
    expect(await ask(sentWithKey(name, secret), { url })).toMatchObject({ control: 'continue' });
    proxy.refuse(true);
    proxy.cut();
    const message = sentWithKey(name, secret);
    expect(refusalIn(message, await ask(message, { url }))).toMatchObject({
      control: { break: 503 },
      headers: { 'retry-after': [expect.stringMatching(/^\d+$/)] },
      body: { errors: [{ extensions: { code: 'UNAVAILABLE' } }] },
    });
    expect(await ask(recorded(name), { url })).toMatchObject({ control: 'continue' });
    proxy.close();
  });

  test('what Keyward reads but was not sent is named, and how to send it', async () => {
    for (const [field, setting] of [
      ['headers', 'headers: true'],
      ['context', 'context: all'],
    ] as const) {
      const response = await post({ ...recorded(name), [field]: undefined });
      expect(response.status).toBe(400);
      const told = { message: expect.stringContaining(setting) as string, extensions: { field } };
      expect(await response.json()).toMatchObject({ errors: [told] });
    }
  });
});

test.each(['execution-request', 'subgraph-request'])('%s goes on unchanged', async (name) => {
  const { version, stage, id } = recorded(name);
  expect(await ask(recorded(name))).toEqual({ version, stage, id, control: 'continue' });
});

// A router takes a control here for the status of its response: "continue" would make a 401 a 200.
test.each(['router-response', 'supergraph-response', 'subgraph-response'])(
  '%s goes on unchanged, without a control',
  async (name) => {
    const { version, stage, id } = recorded(name);
    expect(await ask(recorded(name))).toEqual({ version, stage, id });
  },
);

test.each([
  ['body', []],
  ['version', { stage: 'RouterRequest' }],
  ['version', { version: 2, stage: 'RouterRequest' }],
  ['stage', { version: 1 }],
  ['stage', { version: 1, stage: 'router.request' }],
  ['id', { ...recorded('router-request'), id: 7 }],
  ['headers.authorization', sentWith(recorded('router-request'), { authorization: 'x' as never })],
  ['context.entries', { ...recorded('router-request'), context: {} }],
])('a message that is none is refused with 400 naming %s', async (field, message) => {
  const response = await post(message);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    errors: [{ extensions: { code: 'BAD_USER_INPUT', field } }],
  });
});

describe('the usage record', () => {
  interface RecordRow {
    readonly request_id: string;
    readonly organization_id: string;
    readonly service: string;
    readonly operation: string | null;
    readonly outcome: string;
    readonly ip: string | null;
    readonly user_agent: string | null;
  }

  const recordsOf = async (apiKeyId: string): Promise<RecordRow[]> =>
    keyward.database.sql<RecordRow>(
      'SELECT * FROM api_key_requests WHERE api_key_id = $1 ORDER BY at, id',
      [apiKeyId],
    );

  test('there is one of each request, which says who made it and what for', async () => {
    const { id, secret } = await keyward.createKey();
    await ask(sentWithKey('supergraph-request', secret));
    const [record, ...more] = await recordsOf(id);
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      ...{ request_id: 'd0a8245df0efe8aa38a80dba1147fb2e', outcome: 'VALID', ip: '127.0.0.1' },
      ...{ service: 'router', operation: 'Contacts', user_agent: 'curl/8.5.0' },
    });
  });

  test('is in the organization of the key, whichever that is', async () => {
    const elsewhere = await createOrganization(keyward, 'Behind a router');
    const { id, secret } = await elsewhere.createKey();
    await ask(sentWithKey('router-request', secret), { query: '?service=router-eu' });
    expect(await recordsOf(id)).toMatchObject([
      { organization_id: elsewhere.id, service: 'router-eu', operation: null },
    ]);
  });

  test('tells of requests that were refused, too', async () => {
    const { apiKey, secret } = await created(keyward);
    await revokeApiKey(keyward, { id: apiKey.id });
    await ask(sentWithKey('supergraph-request', secret));
    expect(await recordsOf(apiKey.id)).toMatchObject([
      { outcome: 'REVOKED', service: 'router', operation: 'Contacts' },
    ]);
  });

  test('takes the operation from the context where the body was not sent, and the client’s own request id', async () => {
    const { id, secret } = await keyward.createKey();
    const message = { ...sentWithKey('supergraph-request', secret), body: undefined };
    await ask(sentWith(message, { 'x-request-id': ['of-the-client'] }));
    expect(await recordsOf(id)).toMatchObject([
      { operation: 'Contacts', request_id: 'of-the-client' },
    ]);
  });

  test('believes in the addresses that a router was told only if the router is trusted', async () => {
    const { graphqlUrl: url } = await keyward.startReplica({ KEYWARD_TRUST_PROXY: '127.0.0.1' });
    const { id, secret } = await keyward.createKey();
    const forwarded = { 'x-forwarded-for': ['198.51.100.9, 203.0.113.7'] };
    const message = sentWith(sentWithKey('router-request', secret), forwarded);
    await ask(message);
    await ask(message, { url });
    expect((await recordsOf(id)).map(({ ip }) => ip)).toEqual(['127.0.0.1', '203.0.113.7']);
  });

  test('is not looked for behind any number of proxies, which would take too long', async () => {
    const { graphqlUrl: url } = await keyward.startReplica({ KEYWARD_TRUST_PROXY: '127.0.0.0/8' });
    const { id, secret } = await keyward.createKey();
    for (const proxies of [99, 10_000]) {
      const forwarded = { 'x-forwarded-for': [`203.0.113.7${', 127.0.0.2'.repeat(proxies)}`] };
      await ask(sentWith(sentWithKey('router-request', secret), forwarded), { url });
    }
    expect((await recordsOf(id)).map(({ ip }) => ip)).toEqual(['203.0.113.7', '127.0.0.2']);
  });

  test.each(requestStages)('must be written, or the request is refused: %s', async (name) => {
    const broken = await startTestKeyward();
    const { secret } = await broken.createKey();
    await broken.database.sql('ALTER TABLE api_key_requests RENAME TO out_of_reach');
    const message = sentWithKey(name, secret);
    expect(refusalIn(message, await ask(message, { url: broken.url }))).toMatchObject({
      control: { break: 503 },
      headers: { 'retry-after': [expect.stringMatching(/^\d+$/)] },
      body: { errors: [{ extensions: { code: 'UNAVAILABLE' } }] },
    });
    await broken.stop();
  });

  test('is kept whatever a message holds', async () => {
    const { id, secret } = await keyward.createKey();
    const hostile = `\u0000\ud800${'x'.repeat(10_000)}`;
    const message = sentWith(sentWithKey('supergraph-request', secret), {
      'user-agent': [hostile],
      'x-forwarded-for': [hostile],
      'x-request-id': [hostile],
    });
    const body = { query: '{ a }', operationName: `${hostile} ${secret}` };
    expect(await ask({ ...message, body })).toMatchObject({ control: 'continue' });
    const [record] = await recordsOf(id);
    expect(record).toMatchObject({ outcome: 'VALID', ip: '127.0.0.1' });
    expect(record?.user_agent?.length).toBeLessThan(600);
    expect(JSON.stringify(record)).not.toContain(secret);
  });
});

test('the README shows the router’s configuration as the example has it', () => {
  const example = readFileSync('examples/router/router.yaml', 'utf8');
  expect(readFileSync('README.md', 'utf8')).toContain(`\`\`\`yaml\n${example}\`\`\``);
});
