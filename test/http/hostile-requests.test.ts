import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { readableLog } from '../support/log';
import { sendJson, type RawAnswer } from '../support/raw-http';

const log = readableLog('info'); // what is an event
let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward({}, log.logger);
});
afterAll(async () => keyward.stop());

const post = async (body: string) =>
  sendJson(keyward.url, body, { authorization: `Bearer ${keyward.adminKey}` });
/** The variables are JSON as it stands, for not all of it survives a JavaScript value. */
const ask = async (query: string, variables = '{}') =>
  post(`{"query":${JSON.stringify(query)},"variables":${variables}}`);
const times = (count: number, part: (index: number) => string, between = ' ') =>
  Array.from({ length: count }, (_, index) => part(index)).join(between);
const around = (count: number, open: string, inside: string, close: string) =>
  open.repeat(count) + inside + close.repeat(count);

const create = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
const literal = (metadata: string) =>
  `mutation { createApiKey(input: { name: "Hostile", scopes: ["contacts:read"], metadata: ${metadata} }) { secret } }`;
const list = 'query ($filter: ApiKeyFilter) { apiKeys(filter: $filter) { totalCount } }';
const entities =
  'query ($of: [_Any!]!) { _entities(representations: $of) { ... on ApiKey { id } } }';
const input = (members: string) =>
  `{"input":{"name":"Hostile","scopes":["contacts:read"],${members}}}`;

/** Refused or answered with errors, each with a code and the request id; nothing was unexpected. */
function expectErrors(answer: RawAnswer): void {
  expect([200, 400]).toContain(answer.status);
  const { errors = [] } = answer.body;
  expect(errors.length).toBeGreaterThan(0);
  const requestId = answer.headers['x-request-id'];
  for (const { message, extensions } of errors) {
    expect(message.length).toBeLessThanOrEqual(600);
    expect(extensions).toMatchObject({ requestId, code: expect.any(String) as string });
    expect(extensions.code).not.toBe('INTERNAL_SERVER_ERROR');
  }
  expect(answer.text.length).toBeLessThan(100_000);
  expect(log.of(requestId)).toEqual([]);
}

async function expectOrdinaryService(): Promise<void> {
  const { status, body } = await ask('{ viewer { kind } }');
  expect({ status, body }).toEqual({
    status: 200,
    body: { data: { viewer: { kind: 'API_KEY' } } },
  });
}

afterEach(expectOrdinaryService);

describe('promise 6: a document beyond a limit is refused with 400 that names the limit:', () => {
  const pages = (count: number, size: number) =>
    around(count, `apiKeys(first: ${size}) { nodes { organization {`, 'id', '} } }');
  const cases: [what: string, limit: string, query: string, variables?: string][] = [
    ['10,000 aliases', 'tokens', `{ ${times(10_000, (i) => `a${i}: viewer { kind }`)} }`],
    ['10,000 levels', 'tokens', `{ ${around(10_000, 'viewer {', 'kind', '}')} }`],
    ['40 levels', 'depth', `{ ${pages(13, 1)} }`],
    ['120 aliases', 'aliases', `{ viewer { ${times(120, (i) => `a${i}: kind`)} } }`],
    ['40 root fields', 'rootFields', `{ ${times(40, (i) => `a${i}: viewer { kind }`)} }`],
    [
      'a fragment bomb',
      'rootFields',
      `{ ...f0 } ${times(60, (i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`)}
       fragment f60 on Query { viewer { kind } }`,
    ],
    [
      'a fragment bomb below the root',
      'cost',
      `{ viewer { ...f0 } } ${times(60, (i) => `fragment f${i} on Viewer { ...f${i + 1} ...f${i + 1} }`)}
       fragment f60 on Viewer { kind }`,
    ],
    ['300 inline fragments', 'fragments', `{ ${around(300, '... {', 'viewer { kind }', '}')} }`],
    [
      '60 directives',
      'directives',
      `{ viewer { kind ${times(60, () => '@skip(if: false)', '\n')} } }`,
    ],
    ['pages of 200 in each other', 'cost', `{ ${pages(4, 200)} }`],
    [
      '200 pages in a page',
      'cost',
      '{ apiKeys(first: 200) { nodes { ...n } } } fragment n on ApiKey { organization { apiKeys(first: 1) { nodes { id } } } }',
    ],
    [
      '200 counts in a page',
      'cost',
      '{ apiKeys(first: 200) { nodes { organization { apiKeys(first: 0) { totalCount } } } } }',
    ],
    [
      '15 pages of 200',
      'cost',
      `{ ${times(15, (i) => `a${i}: apiKeys(first: 200) { __typename }`)} }`,
    ],
    [
      '20 metadata of 200 keys',
      'cost',
      `{ apiKeys(first: 200) { nodes { ${times(20, (i) => `a${i}: metadata`)} } } }`,
    ],
    [
      '20 tags of 200 keys',
      'cost',
      `{ apiKeys(first: 200) { nodes { ${times(20, (i) => `a${i}: tags`)} } } }`,
    ],
    [
      'the schema 60 times',
      'cost',
      `{ __schema { types { ${times(60, (i) => `a${i}: fields { type { name } }`)} } } }`,
    ],
    [
      '2,000 entities',
      'cost',
      entities,
      `{"of":[${times(2000, (i) => `{"__typename":"ApiKey","id":"${i}"}`, ',')}]}`,
    ],
    [
      'a long alias, which a list repeats',
      'nameLength',
      `{ apiKeys(first: 200) { nodes { ${'x'.repeat(5000)}: id } } }`,
    ],
    [
      'a long operation name, which is recorded',
      'nameLength',
      `query ${'x'.repeat(200)} { viewer { kind } }`,
    ],
    ['one field 900 times', 'comparisons', `{ viewer { ${'kind '.repeat(900)} } }`],
  ];

  test.each(cases.map(([what, ...rest]) => ({ what, rest })))('$what', async ({ rest }) => {
    const [limit, query, variables] = rest;
    const answer = await ask(query, variables);
    expectErrors(answer);
    expect(answer.status).toBe(400);
    const limits = answer.body.errors?.map(({ extensions }) => extensions.limit);
    expect(limits).toContain(limit);
  });

  test('and every page a client is meant to ask for is within them', async () => {
    const answer = await ask(
      `query Dashboard { viewer { kind scopes organization { id name plan } }
        apiKeys(first: 200, orderBy: { field: NAME, direction: ASC }) {
          totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
          nodes { id name description environment prefix redacted scopes status createdAt expiresAt
            lastUsedAt owner application usageLocation tags metadata
            createdBy { kind id name displayName }
            revocation { at reason note by { displayName } } organization { id } } } }`,
    );
    expect(answer.status).toBe(200);
    expect(answer.body.errors).toBeUndefined();
  });
});

describe('a body of more values than any request needs is refused with 400:', () => {
  const cases: [what: string, query: string, variables: string][] = [
    ['a list of 100,000 tags', list, `{"filter":{"tags":[${times(100_000, () => '""', ',')}]}}`],
    [
      'a list of 300,000 scopes',
      create,
      `{"input":{"name":"x","scopes":[${times(300_000, () => '""', ',')}]}}`,
    ],
    ['80,000 unknown members', list, `{"filter":{${times(80_000, (i) => `"x${i}":1`, ',')}}}`],
    [
      '300,000 brackets in a JSONObject',
      create,
      input(`"metadata":{"a":${around(300_000, '[', '', ']')}}`),
    ],
    [
      '150,000 objects in a JSONObject',
      create,
      input(`"metadata":${around(150_000, '{"a":', '1', '}')}`),
    ],
    [
      '400,000 values in no use',
      '{ viewer { kind } }',
      `{"a":[${times(400_000, () => '1', ',')}]}`,
    ],
  ];

  test.each(cases)('%s', async (_what, query, variables) => {
    const answer = await ask(query, variables);
    expectErrors(answer);
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'body',
    });
    expect(answer.text).toContain('10000 are allowed');
  });

  test('and what stands in strings is not counted', async () => {
    const search = '\\",[{'.repeat(90);
    const answer = await ask(list, JSON.stringify({ filter: { search } }));
    expect(answer.body).toEqual({ data: { apiKeys: { totalCount: 0 } } });
    const long = await ask(`{ viewer { kind } } #${',[{"'.repeat(100_000)}`);
    expect(long.body).toEqual({ data: { viewer: { kind: 'API_KEY' } } });
  });
});

describe('promise 7: hostile values are refused with an error that says where:', () => {
  const cases: [what: string, query: string, variables: string, field: string][] = [
    [
      'NUL in a name',
      create,
      '{"input":{"name":"a\\u0000b","scopes":["contacts:read"]}}',
      'input.name',
    ],
    [
      'half a surrogate pair',
      create,
      '{"input":{"name":"a\\ud800","scopes":["contacts:read"]}}',
      'input.name',
    ],
    ['NUL in a tag', create, input('"tags":["a\\u0000"]'), 'input.tags.0'],
    [
      'no finite number in a JSONObject',
      create,
      input('"metadata":{"a":[-1e999]}'),
      'input.metadata.a.0',
    ],
    [
      'no finite number in the document',
      literal('{ a: { b: 1e999 } }'),
      '{}',
      'input.metadata.a.b',
    ],
    ['NUL in a JSONObject', create, input('"metadata":{"a":["\\u0000"]}'), 'input.metadata.a.0'],
    ['NUL in the name of a member', create, input('"metadata":{"\\u0000":1}'), 'input.metadata'],
    [
      'half a surrogate pair in a JSONObject',
      create,
      input('"metadata":{"a":"\\udfff"}'),
      'input.metadata.a',
    ],
    [
      'NUL in an idempotency key',
      create,
      input('"idempotencyKey":"\\u0000"'),
      'input.idempotencyKey',
    ],
    ['NUL in a filter', list, '{"filter":{"search":"\\u0000"}}', 'filter.search'],
    ['NUL in an id', list, '{"filter":{"createdBy":"\\u0000"}}', 'filter.createdBy'],
    [
      'NUL in a cursor',
      'query ($a: String) { apiKeys(after: $a) { totalCount } }',
      '{"a":"\\u0000"}',
      'after',
    ],
    [
      'a deep JSONObject',
      create,
      input(`"metadata":{"a":${around(9000, '[', '', ']')}}`),
      'input.metadata',
    ],
    [
      'a long name',
      create,
      `{"input":{"name":"${'x'.repeat(1_000_000)}","scopes":["contacts:read"]}}`,
      'input.name',
    ],
    [
      'a long scope',
      create,
      `{"input":{"name":"x","scopes":["${'x'.repeat(1_000_000)}"]}}`,
      'input.scopes.0',
    ],
    ['a long filter', list, `{"filter":{"search":"${'%'.repeat(1_000_000)}"}}`, 'filter.search'],
    [
      'a page of 2,000,000,000',
      'query ($n: Int) { apiKeys(first: $n) { totalCount } }',
      '{"n":2000000000}',
      'first',
    ],
    [
      'an entity of a foreign type',
      entities,
      '{"of":[{"__typename":"__proto__","id":"x"}]}',
      'representations.0.__typename',
    ],
    [
      'an entity of a built-in name',
      entities,
      '{"of":[{"__typename":"constructor","id":"x"}]}',
      'representations.0.__typename',
    ],
    ['an entity that is none', entities, '{"of":["x"]}', 'representations.0.__typename'],
    [
      'an entity with an object for an id',
      entities,
      '{"of":[{"__typename":"ApiKey","id":{"a":1}}]}',
      'representations.0.id',
    ],
  ];

  test.each(cases)('%s', async (_what, query, variables, field) => {
    const answer = await ask(query, variables);
    expectErrors(answer);
    expect(answer.body.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  });

  test.each([
    ['a long enum value', list, `{"filter":{"environment":"${'x'.repeat(1_000_000)}"}}`],
    ['a long date', list, `{"filter":{"createdBefore":"${'1'.repeat(1_000_000)}"}}`],
    ['a long duration', create, input(`"expiresIn":"P${'1D'.repeat(500_000)}"`)],
    ['many wrong types', list, `{"filter":{"tags":[${times(9_000, () => '1', ',')}]}}`],
    ['unknown members', list, '{"filter":{"constructor":1,"toString":2,"hasOwnProperty":3}}'],
    ['null where a default was', 'query ($id: ID = "x") { apiKey(id: $id) { id } }', '{"id":null}'],
    [
      'null for a directive',
      'query ($a: Boolean = true) { viewer @skip(if: $a) { kind } }',
      '{"a":null}',
    ],
  ])('%s', async (_what, query, variables) => {
    const answer = await ask(query, variables);
    expectErrors(answer);
    expect(answer.body.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  test('a word in a JSONObject that is no JSON', async () => {
    const answer = await ask(literal('{ a: [{ b: Infinity }] }'));
    expectErrors(answer);
    expect(answer.body.errors?.[0]).toMatchObject({
      message: 'JSONObject cannot represent Infinity: write it as a string, "Infinity".',
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    });
  });

  test('a member __proto__, wherever it stands and however it is spelled', async () => {
    for (const variables of [
      '{"__proto__":{"input":1}}',
      input('"__proto__":{"name":"x"}'),
      input('"metadata":{"a":[{"__proto__":{"admin":true}}]}'),
      input('"metadata":{"\\u005f_proto__":{"admin":true}}'),
    ]) {
      const answer = await ask(create, variables);
      expectErrors(answer);
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('__proto__');
    }
  });

  test('a key in a document, a value or a member’s name is not repeated', async () => {
    const key = keyward.adminKey;
    for (const [query, variables] of [
      [`{ viewer { ${key} } }`],
      [`query ($${key}: Int) { viewer { kind } }`],
      [`{ viewer { kind(${key}: 1) } }`],
      [`{ viewer { kind } } ${key}`],
      [`{ apiKeys(filter: { environment: ${key} }) { totalCount } }`],
      [`{ apiKeys(first: "${key}") { totalCount } }`],
      [list, `{"filter":{"${key}":1}}`],
      [list, `{"filter":{"environment":"${key}"}}`],
      [list, `{"filter":{"createdBefore":"${key}x"}}`],
      [list, `{"filter":{"environment":"${'x '.repeat(149)}${key}${' x'.repeat(400)}"}}`],
      [create, input(`"metadata":{"${key}":"\\u0000"}`)],
      [create, input(`"expiresIn":"${key}"`)],
      [literal(`{ a: ${key} }`)],
      [entities, `{"of":[{"__typename":"${key}","id":"x"}]}`],
    ] as const) {
      const answer = await ask(query, variables);
      expectErrors(answer);
      expect(answer.text).not.toContain(key.slice(8, 20));
    }
  });
});

describe('odd values are kept as they are:', () => {
  test('members named as what JavaScript gives every object', async () => {
    const members = '"constructor":{"prototype":{"admin":true}},"toString":1,"hasOwnProperty":null';
    const created = await ask(
      create.replace('secret', 'apiKey { metadata }'),
      input(`"metadata":{${members}}`),
    );
    expect(created.body.errors).toBeUndefined();
    expect(created.text).toContain(members);
  });

  test('emoji, right-to-left text and markup', async () => {
    const name = '🗝️ مفتاح <b>"\'\\ %_';
    const answer = await ask(
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { name } } }',
      JSON.stringify({ input: { name, scopes: ['contacts:read'] } }),
    );
    expect(answer.body).toEqual({ data: { createApiKey: { apiKey: { name } } } });
  });
});
