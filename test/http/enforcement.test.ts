import type { AnswerError } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { guardedFields } from '../support/guarded-fields';
import { send, sendJson } from '../support/raw-http';

let keyward: TestKeyward;
/** Keys that may only write, only read, only see usage, and none of these. */
let writer: string, reader: string, watcher: string, weak: string;
let id: string;
beforeAll(async () => {
  keyward = await startTestKeyward();
  const keys = await Promise.all([
    keyward.createKey({ scopes: ['api_keys:write', 'contacts:read'] }),
    keyward.createKey({ scopes: ['api_keys:read'] }),
    keyward.createKey({ scopes: ['analytics:read'] }),
    keyward.createKey({ scopes: ['contacts:read'] }),
  ]);
  [writer = '', reader = '', watcher = '', weak = ''] = keys.map(({ secret }) => secret);
  id = keys[0].id;
});
afterAll(async () => keyward.stop());

const reasons = (errors: readonly AnswerError[]) =>
  Object.fromEntries(
    errors.map(({ path, extensions }) => [path?.join('.') ?? '', extensions.reason]),
  );

/** Where a guarded field can be reached by a caller without its scope. */
const ways: Readonly<Record<string, (selection: string) => string>> = {
  Query: (selection) => `{ ${selection} }`,
  Mutation: (selection) => `mutation { ${selection} }`,
  ApiKey: (selection) => `{ viewer { apiKey { ${selection} } } }`,
  Organization: (selection) => `{ viewer { organization { ${selection} } } }`,
  Rotation: (selection) => `{ viewer { apiKey { rotation { ${selection} } } } }`,
  ApiKeyRequest: (selection) => `{ apiKeyRequests(first: 1) { nodes { ${selection} } } }`,
};

describe('every field that the printed schema guards', () => {
  test('is refused at run time: to nobody for want of credentials, to a weak key for its scopes', async () => {
    const guarded = await guardedFields(keyward);
    expect(guarded.length).toBeGreaterThan(8);
    for (const { type, field, anyKey, selection } of guarded) {
      const query = ways[type]?.(selection);
      if (query === undefined) throw new Error(`say in "ways" how ${type} can be reached`);
      const where = `${type}.${field}`;
      if (type === 'Query' || type === 'Mutation') {
        const anonymous = await keyward.ask(query, {}, { key: null });
        expect([where, anonymous.status, reasons(anonymous.errors)]).toEqual([
          where,
          401,
          { [field]: 'UNAUTHENTICATED' },
        ]);
      }
      if (anyKey) continue;
      const { errors } = await keyward.ask(
        query,
        {},
        { key: type === 'ApiKeyRequest' ? watcher : weak },
      );
      expect([where, errors.map(({ extensions }) => extensions.reason)]).toEqual([
        where,
        ['INSUFFICIENT_SCOPE'],
      ]);
      expect(errors[0]?.path?.at(-1)).toBe(field);
    }
  });
});

describe('a guard holds', () => {
  const insufficient = 'INSUFFICIENT_SCOPE';

  test('under an alias, even that of an open field', async () => {
    const { data, errors } = await keyward.ask(
      '{ viewer: apiKeys { totalCount } apiKeys: viewer { kind } _service: apiKey(id: "x") { id } }',
      {},
      { key: weak },
    );
    expect(data).toEqual({ viewer: null, apiKeys: { kind: 'API_KEY' }, _service: null });
    expect(reasons(errors)).toEqual({ viewer: insufficient, _service: insufficient });
  });

  test('in named and inline fragments, and fragments in fragments', async () => {
    const { data, errors } = await keyward.ask(
      `{ ...one ... on Query { b: apiKeys { totalCount } ... { c: apiKeys { totalCount } } } viewer { kind } }
       fragment one on Query { ...two }
       fragment two on Query { ... on Query { a: apiKeys { nodes { ...key } } } }
       fragment key on ApiKey { id }`,
      {},
      { key: weak },
    );
    expect(data).toEqual({ a: null, b: null, c: null, viewer: { kind: 'API_KEY' } });
    expect(reasons(errors)).toEqual({ a: insufficient, b: insufficient, c: insufficient });
  });

  test('where @include and @skip let a field in, and only there', async () => {
    const query = `query ($yes: Boolean!, $no: Boolean!) {
      a: apiKeys @include(if: $yes) { totalCount }
      b: apiKeys @include(if: $no) { totalCount }
      c: apiKeys @skip(if: $no) { totalCount }
      d: apiKeys @skip(if: $yes) { totalCount }
      ... @include(if: $yes) { e: apiKeys { totalCount } } }`;
    const answer = await keyward.ask(query, { yes: true, no: false }, { key: weak });
    expect(answer.data).toEqual({ a: null, c: null, e: null });
    expect(reasons(answer.errors)).toEqual({ a: insufficient, c: insufficient, e: insufficient });
    expect(answer.status).toBe(403);
    const nothing = '{ apiKeys @skip(if: true) { totalCount } }';
    expect((await keyward.ask(nothing, {}, { key: weak })).body).toEqual({ data: {} });
  });

  test('in the payload of a mutation that itself is allowed', async () => {
    const { data, errors, status } = await keyward.ask<{ createApiKey: { secret: string } }>(
      `mutation { createApiKey(input: { name: "Nested", scopes: ["contacts:read"] }) {
         secret apiKey { name organization { name apiKeys { nodes { id } } } } } }`,
      {},
      { key: writer },
    );
    expect(data.createApiKey).toMatchObject({
      apiKey: { name: 'Nested', organization: { name: 'default', apiKeys: null } },
    });
    expect(data.createApiKey.secret).toMatch(/^sk_live_/);
    expect(reasons(errors)).toEqual({ 'createApiKey.apiKey.organization.apiKeys': insufficient });
    expect(status).toBe(200);
  });

  test('for each mutation of a request by itself', async () => {
    const query = `mutation ($id: ID!) {
      a: revokeCurrentApiKey(reason: OTHER) { apiKey { status } }
      b: updateApiKey(input: { id: $id, name: "Stolen" }) { apiKey { id } }
      c: createApiKey(input: { name: "Stolen", scopes: ["contacts:read"] }) { secret } }`;
    const { secret } = await keyward.createKey({ scopes: ['contacts:read'] });
    const { data, errors, status } = await keyward.ask(query, { id }, { key: secret });
    expect(data).toEqual({ a: { apiKey: { status: 'REVOKED' } }, b: null, c: null });
    expect(reasons(errors)).toEqual({ b: insufficient, c: insufficient });
    expect(status).toBe(200);
    const rows = await keyward.database.sql(`SELECT id FROM api_keys WHERE name = 'Stolen'`);
    expect(rows).toEqual([]);
  });

  test('for the operation that operationName chooses, whatever else the document holds', async () => {
    const query = `query open { viewer { kind } } query closed { apiKeys { totalCount } }`;
    const chosen = async (operationName: string) =>
      sendJson(keyward.url, JSON.stringify({ query, operationName }), {
        authorization: `Bearer ${weak}`,
      });
    expect((await chosen('open')).body).toEqual({ data: { viewer: { kind: 'API_KEY' } } });
    const closed = await chosen('closed');
    expect(closed.status).toBe(403);
    expect(closed.body.data).toEqual({ apiKeys: null });
  });

  test('for GET, which cannot change anything', async () => {
    const get = async (query: string, key?: string) =>
      send(keyward.url, {
        method: 'GET',
        path: `/graphql?query=${encodeURIComponent(query)}`,
        headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      });
    expect((await get('{ apiKeys { totalCount } }')).status).toBe(401);
    expect((await get('{ apiKeys { totalCount } }', weak)).status).toBe(403);
    expect((await get('{ apiKeys { totalCount } }', reader)).status).toBe(200);
    const mutation = 'mutation { revokeCurrentApiKey(reason: OTHER) { apiKey { id } } }';
    expect((await get(mutation, reader)).status).toBe(405);
    expect((await get('{ apiKeys { totalCount } }', reader)).status).toBe(200);
  });

  test('for `_entities`, of whatever type and in whatever fragment; a key may resolve itself', async () => {
    const query = `query ($of: [_Any!]!) { _entities(representations: $of) {
      ... on ApiKey { id organization { name apiKeys { totalCount } } } ...org } }
      fragment org on Organization { id apiKeys { totalCount } }`;
    const { data: own } = await keyward.ask<{ viewer: { organization: { id: string } } }>(
      '{ viewer { organization { id } } }',
    );
    const of = [
      { __typename: 'ApiKey', id },
      { __typename: 'Organization', id: own.viewer.organization.id },
    ];
    const foreign = await keyward.ask(query, { of }, { key: weak });
    expect(foreign.data).toEqual({ _entities: [null, null] });
    expect(reasons(foreign.errors)).toEqual({
      '_entities.0': insufficient,
      '_entities.1': insufficient,
    });
    const itself = await keyward.ask(query, { of: of.slice(0, 1) }, { key: writer });
    expect(itself.data).toEqual({
      _entities: [{ id, organization: { name: 'default', apiKeys: null } }],
    });
    expect(reasons(itself.errors)).toEqual({ '_entities.0.organization.apiKeys': insufficient });
    const anonymous = await keyward.ask(query, { of }, { key: null });
    expect(anonymous.data).toEqual({ _entities: [null, null] });
    expect(new Set(Object.values(reasons(anonymous.errors)))).toEqual(new Set(['UNAUTHENTICATED']));
  });

  test('however often the same document was answered to others before', async () => {
    const query = '{ apiKeys(first: 1) { nodes { id } } }';
    for (const [key, status] of [
      [reader, 200],
      [weak, 403],
      [null, 401],
      [reader, 200],
    ] as const) {
      expect((await keyward.ask(query, {}, { key })).status).toBe(status);
    }
  });
});

describe('the schema', () => {
  const introspection = '{ __schema { queryType { name } } }';
  const service = '{ _service { sdl } }';
  const type = '{ hidden: __type(name: "ApiKey") { name } }';
  const inFragment =
    '{ viewer { kind } ...hidden } fragment hidden on Query { ... { x: _service { sdl } } }';
  const ask = async (url: string, query: string, key: string | null) =>
    sendJson(url, JSON.stringify({ query }), {
      accept: 'application/graphql-response+json',
      ...(key !== null && { authorization: `Bearer ${key}` }),
    });

  test('is open to all unless told otherwise', async () => {
    for (const query of [introspection, service, type, inFragment]) {
      const answer = await ask(keyward.url, query, null);
      expect(answer.status).toBe(200);
      expect(answer.body.errors).toBeUndefined();
    }
  });

  test('is open to callers with credentials when KEYWARD_INTROSPECTION=authenticated', async () => {
    const { graphqlUrl } = await keyward.startReplica({ KEYWARD_INTROSPECTION: 'authenticated' });
    for (const query of [introspection, service, type, inFragment]) {
      const refused = await ask(graphqlUrl, query, null);
      expect(refused.status).toBe(401);
      expect(refused.headers['www-authenticate']).toBe('Bearer realm="keyward"');
      expect(refused.body.data).toBeUndefined();
      expect(refused.body.errors?.[0]?.extensions).toMatchObject({ reason: 'UNAUTHENTICATED' });
      const answered = await ask(graphqlUrl, query, weak);
      expect(answered.status).toBe(200);
      expect(answered.body.errors).toBeUndefined();
    }
    expect((await ask(graphqlUrl, '{ viewer { __typename } }', null)).status).toBe(200);
  });

  test('is closed to all when KEYWARD_INTROSPECTION=off, and no error lists its fields', async () => {
    const { graphqlUrl } = await keyward.startReplica({ KEYWARD_INTROSPECTION: 'off' });
    for (const query of [introspection, service, type, inFragment]) {
      for (const key of [null, keyward.adminKey]) {
        const answer = await ask(graphqlUrl, query, key);
        expect(answer.body.data).toBeUndefined();
        expect(answer.status).toBe(400);
        expect(answer.body.errors?.[0]?.extensions).toMatchObject({
          code: 'GRAPHQL_VALIDATION_FAILED',
        });
        expect(answer.text).toContain('does not give out its schema');
      }
    }
    expect((await ask(graphqlUrl, '{ viewer { __typename } }', null)).status).toBe(200);
    const guess = await ask(graphqlUrl, '{ viewer { kindd } apiKey(idd: 1) { id } }', null);
    expect(guess.text).not.toMatch(/did you mean/i);
    for (const filter of [{ statuz: 'ACTIVE' }, { status: ['ACTIV'] }]) {
      const variables = JSON.stringify({
        query: 'query ($filter: ApiKeyFilter) { apiKeys(filter: $filter) { totalCount } }',
        variables: { filter },
      });
      expect((await sendJson(keyward.url, variables)).text).toMatch(/did you mean/i);
      expect((await sendJson(graphqlUrl, variables)).text).not.toMatch(/did you mean/i);
    }
  });
});
