import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import { useKeyward } from '../../src/plugin/hive-gateway';
import { enforceScopes, keywardContext, type KeywardOptions } from '../../src/plugin/subgraph';
import { revokeApiKey } from '../support/api-keys';
import { eventsOf } from '../support/event-stream';
import { graphql, type Answer } from '../support/http';
import { startHiveGateway } from '../support/hive-gateway';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import {
  agentsSchema,
  agentsSdl,
  contactsSchema,
  contactsSdl,
  startOnApollo,
  startOnYoga,
  vaultsSchema,
  vaultsSdl,
  type TestSubgraph,
} from '../support/protected-subgraphs';
import { startProxy } from '../support/proxy';
import { send } from '../support/raw-http';
import { startRecorder, type Recorder } from '../support/recorder';
import { compose, readSdl, type Gateway } from '../support/supergraph';
import { unknownKey } from '../support/verifications';

let keyward: TestKeyward;
let subgraphs: {
  readonly contacts: TestSubgraph;
  readonly agents: TestSubgraph;
  readonly vaults: TestSubgraph;
};
let recorders: {
  readonly contacts: Recorder;
  readonly agents: Recorder;
  readonly vaults: Recorder;
};
let supergraphSdl: string;
let gateway: Gateway;
let verifier: string;
let reader: { id: string; secret: string };

const optionsFor = (service: string, url = keyward.url): KeywardOptions => ({
  ...{ url, key: verifier, service, deadlineMs: 10_000, warn: () => undefined },
});
const pluginAt = (url = keyward.url): GatewayPlugin => useKeyward(optionsFor('gateway', url));

beforeAll(async () => {
  keyward = await startTestKeyward();
  verifier = (await keyward.createKey({ scopes: ['api_keys:verify'] })).secret;
  reader = await keyward.createKey({ name: 'Reader', scopes: ['contacts:read'] });
  subgraphs = {
    contacts: await startOnApollo(
      enforceScopes(contactsSchema()),
      keywardContext(optionsFor('contacts')),
    ),
    agents: await startOnYoga(enforceScopes(agentsSchema()), keywardContext(optionsFor('agents'))),
    vaults: await startOnYoga(vaultsSchema()),
  };
  recorders = {
    contacts: await startRecorder(subgraphs.contacts.url),
    agents: await startRecorder(subgraphs.agents.url),
    vaults: await startRecorder(subgraphs.vaults.url),
  };
  supergraphSdl = compose([
    { name: 'keyward', url: keyward.url, sdl: await readSdl(keyward.url) },
    { name: 'contacts', url: recorders.contacts.url, sdl: contactsSdl },
    { name: 'agents', url: recorders.agents.url, sdl: agentsSdl },
    { name: 'vaults', url: recorders.vaults.url, sdl: vaultsSdl },
  ]);
  gateway = await startHiveGateway(supergraphSdl, pluginAt());
});
beforeEach(() => {
  for (const recorder of Object.values(recorders)) recorder.clear();
});
afterAll(async () => {
  await gateway.stop();
  for (const each of [...Object.values(recorders), ...Object.values(subgraphs)]) await each.stop();
  await keyward.stop();
});

const ask = async (
  query: string,
  key: string | null = reader.secret,
  { variables, at = gateway }: { variables?: Record<string, unknown>; at?: Gateway } = {},
): Promise<Answer<Record<string, unknown>>> => graphql(at.url, { query, variables }, { key });

/** The documents that a subgraph was asked with. */
const askedOf = (name: keyof typeof recorders): string[] =>
  recorders[name].requests.map(({ path, body }) => {
    if (body !== '') return (JSON.parse(body) as { query: string }).query;
    return new URL(path, recorders[name].url).searchParams.get('query') ?? '';
  });

const askedOfAll = (): string[] => [
  ...askedOf('contacts'),
  ...askedOf('agents'),
  ...askedOf('vaults'),
];

describe('useKeyward in Hive Gateway', () => {
  test('lets a key read what its scopes allow', async () => {
    const { status, body } = await ask('{ contacts { name note } }');
    expect(status).toBe(200);
    expect(body).toEqual({
      data: {
        contacts: [
          { name: 'Ada', note: 'note 1' },
          { name: 'Grace', note: 'note 2' },
        ],
      },
    });
  });

  test('refuses what they do not, without asking the subgraph for it, and answers the rest', async () => {
    const { status, data, errors } = await ask(
      '{ greeting contacts { name phone agents { name } note } agents { name } }',
    );
    expect(status).toBe(200);
    expect(data).toEqual({
      greeting: 'hello',
      contacts: [
        { name: 'Ada', phone: null, agents: null, note: 'note 1' },
        { name: 'Grace', phone: null, agents: null, note: 'note 2' },
      ],
      agents: null,
    });
    expect(errors.map(({ path }) => path?.join('.')).sort()).toEqual([
      'agents',
      'contacts.0.agents',
      'contacts.0.phone',
      'contacts.1.agents',
      'contacts.1.phone',
    ]);
    expect(askedOf('contacts')).toHaveLength(1);
    expect(askedOf('agents')).toHaveLength(1);
    expect(askedOf('contacts').join()).not.toMatch(/\bphone\b/);
    expect(askedOf('agents').join()).not.toMatch(/\bagents\b/);
  });

  test('asks no subgraph when everything is refused', async () => {
    const { data } = await ask('{ agents { name } contacts { phone } }', null);
    expect(data).toEqual({ agents: null, contacts: null });
    expect(askedOfAll()).toEqual([]);
  });

  test.each([
    ['without credentials', () => null],
    ['for want of a scope', () => reader.secret],
  ])('refuses %s with the error that the subgraph itself gives', async (_what, keyOf) => {
    const query = '{ greeting agents { name } }';
    const behind = await ask(query, keyOf());
    const own = await graphql(
      subgraphs.agents.url,
      { query: '{ agents { name } }' },
      { key: keyOf() },
    );
    const [error] = behind.errors;
    expect(behind.data).toEqual({ greeting: 'hello', agents: null });
    expect(error).toMatchObject({
      ...{ message: own.errors[0]?.message, path: ['agents'] },
      extensions: { ...own.errors[0]?.extensions },
    });
    expect(error?.extensions.code).toBe('UNAUTHORIZED_FIELD_OR_TYPE');
  });

  test.each([
    ['{ agents { name } }', () => null],
    ['{ agents { name } contacts { phone } }', () => null],
    ['mutation { deleteContacts }', () => null],
    ['{ agents { name } }', () => reader.secret],
    [
      '{ a: agents { name } ...More } fragment More on Query { b: agents { name } }',
      () => verifier,
    ],
    ['{ greeting agents { name } }', () => reader.secret],
  ])('has the HTTP status that Keyward has when all is refused: %s', async (query, keyOf) => {
    const owns = keyOf() === null ? '{ apiKeys { totalCount } }' : '{ auditEvents { totalCount } }';
    const some = query.includes('greeting') ? `{ viewer { kind } ${owns.slice(1)}` : owns;
    const own = await graphql(keyward.url, { query: some }, { key: keyOf() });
    const { status, headers, body } = await ask(query, keyOf());
    expect([status, headers.get('www-authenticate')]).toEqual([
      own.status,
      own.headers.get('www-authenticate'),
    ]);
    expect(status).toBe(query.includes('greeting') ? 200 : keyOf() === null ? 401 : 403);
    expect(body).not.toHaveProperty('extensions');
  });

  test('does not carry out a refused mutation', async () => {
    const { data, errors } = await ask('mutation { deleteContacts }');
    expect(data).toEqual({ deleteContacts: null });
    expect(errors).toMatchObject([{ extensions: { missingScopes: [['contacts:write']] } }]);
    expect(askedOfAll()).toEqual([]);
  });

  test.each([
    ['MALFORMED', () => 'nonsense'],
    ['UNKNOWN', () => unknownKey()],
  ])(
    'answers 401 to a key that is %s, as Keyward does, and asks no subgraph',
    async (reason, keyOf) => {
      const { status, headers, body } = await ask('{ greeting }', keyOf());
      expect([status, headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer error="invalid_token"',
      ]);
      expect(body.data ?? null).toBeNull();
      expect(body.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED', reason } }]);
      expect(askedOfAll()).toEqual([]);
    },
  );

  test('refuses a revoked key at the very next request', async () => {
    const { id, secret } = await keyward.createKey();
    expect((await ask('{ contacts { id } }', secret)).status).toBe(200);
    await revokeApiKey(keyward, { id });
    recorders.contacts.clear();
    const { status, errors } = await ask('{ contacts { id } }', secret);
    expect(status).toBe(401);
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED', reason: 'REVOKED' } }]);
    expect(askedOfAll()).toEqual([]);
  });

  test('answers 400 to more than one Authorization header', async () => {
    const authorization = [`Bearer ${reader.secret}`, `Bearer ${keyward.adminKey}`];
    const headers = { 'content-type': 'application/json', authorization };
    const body = JSON.stringify({ query: '{ greeting }' });
    expect((await send(gateway.url, { headers, body })).status).toBe(400);
    expect(askedOfAll()).toEqual([]);
  });

  test('answers 503 while Keyward cannot be asked, asks no subgraph, and recovers', async () => {
    const proxy = await startProxy(keyward.url);
    const at = await startHiveGateway(supergraphSdl, pluginAt(proxy.url));
    expect((await ask('{ greeting }', reader.secret, { at })).status).toBe(200);
    recorders.contacts.clear();
    proxy.refuse(true);
    proxy.cut();
    const { status, headers, body } = await ask('{ greeting }', reader.secret, { at });
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(body.errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
    expect(askedOfAll()).toEqual([]);
    proxy.refuse(false);
    expect((await ask('{ greeting }', reader.secret, { at })).status).toBe(200);
    await at.stop();
    proxy.close();
  });

  test("forwards the caller's key, so that Keyward's own fields and keywardContext work behind it", async () => {
    const { data } = await ask('{ viewer { apiKey { id name } } caller apiKeys { totalCount } }');
    expect(data).toMatchObject({ viewer: { apiKey: { id: reader.id, name: 'Reader' } } });
    expect(JSON.parse(String(data.caller))).toMatchObject({ apiKey: { id: reader.id } });
    expect(data.apiKeys).toBeNull();
  });
});

describe('a subgraph that leaves enforcement to the gateway', () => {
  test('is not asked for a field whose type is protected', async () => {
    const { data, errors } = await ask('{ vaults { id content } }');
    expect(data).toEqual({ vaults: [{ id: 'v', content: null }] });
    expect(errors).toMatchObject([{ extensions: { missingScopes: [['analytics:read']] } }]);
    expect(askedOf('vaults').join()).not.toMatch(/\bcontent\b/);
  });

  test('is not asked for a field that cannot be null: its parents are null in its place', async () => {
    const { body } = await ask('{ vaults { id code } }');
    expect(body.data).toBeNull();
    expect(body.errors).toMatchObject([{ path: ['vaults', 0, 'code'] }]);
    expect(askedOf('vaults').join()).not.toMatch(/\bcode\b/);
  });

  test('is asked for what a variable includes, and for no more', async () => {
    const query = `query ($code: Boolean!, $in: String) {
      vaults { id code @include(if: $code) label(in: $in) }
    }`;
    const { data } = await ask(query, reader.secret, { variables: { code: false, in: 'English' } });
    expect(data).toEqual({ vaults: [{ id: 'v', label: null }] });
    expect(askedOf('vaults').join()).not.toMatch(/label|[^$]code/);
  });

  test('answers everything to a key with the scopes', async () => {
    const { secret } = await keyward.createKey({ scopes: ['admin:full'] });
    const { data } = await ask('{ vaults { id label(in: "English") code } }', secret);
    expect(data).toEqual({ vaults: [{ id: 'v', label: 'in English', code: 1234 }] });
  });

  test('is asked for no field of an interface that an implementation protects', async () => {
    const query = `query ($in: String) {
      things { id label(in: $in) ... on Chair { own: label(in: $in) } }
    }`;
    const { data } = await ask(query, reader.secret, { variables: { in: 'French' } });
    expect(data).toEqual({
      things: [
        { id: 'v', label: null },
        { id: 'c', label: null, own: 'in French' },
      ],
    });
  });

  test('streams events without what is refused of them, and none that are refused', async () => {
    const stream = async (query: string): Promise<unknown[]> => {
      const events = [];
      for await (const event of eventsOf(gateway.url, query, reader.secret)) events.push(event);
      return events;
    };
    const refused = { path: ['ticks', 'code'], extensions: { reason: 'INSUFFICIENT_SCOPE' } };
    expect(await stream('subscription { ticks { number code } }')).toMatchObject([
      { data: { ticks: { number: 1, code: null } }, errors: [refused] },
      { data: { ticks: { number: 2, code: null } }, errors: [refused] },
    ]);
    expect(askedOf('vaults').join()).not.toMatch(/\bcode\b/);
    recorders.vaults.clear();
    expect(await stream('subscription { alarms }')).toMatchObject([
      { data: { alarms: null }, errors: [{ extensions: { reason: 'INSUFFICIENT_SCOPE' } }] },
    ]);
    expect(askedOfAll()).toEqual([]);
  });

  test.each([
    ['"@requiresScopes"', '{ name: "@requiresScopes", as: "@needs" }', '@needs('],
    ['"@authenticated"', '{ as: "@members", name: "@authenticated" }', '@members '],
  ])('is not asked under a name that nobody enforces: %s as another', async (own, as, another) => {
    const [name] = /@\w+/.exec(own) ?? [];
    const sdl = contactsSdl
      .replaceAll(new RegExp(`${name ?? ''}[(\\s]`, 'g'), another)
      .replace(own, as);
    const renamed = compose([{ name: 'contacts', url: recorders.contacts.url, sdl }]);
    expect(renamed).toContain(another.trim());
    const other = await startHiveGateway(renamed, pluginAt());
    const { body } = await ask('{ greeting members contacts { name } }', reader.secret, {
      at: other,
    });
    await other.stop();
    expect(body.data ?? null).toBeNull();
    expect(body.errors).toHaveLength(1);
    expect(askedOfAll()).toEqual([]);
  });
});
