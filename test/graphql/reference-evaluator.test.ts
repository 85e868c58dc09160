import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObjectType, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { createRooms, entities, type Rooms } from '../../src/app/rooms';
import { Authenticator } from '../../src/auth/authentication';
import { readConfig } from '../../src/config';
import type { Database } from '../../src/database/database';
import { openDatabase } from '../../src/database/open-database';
import { createSchema } from '../../src/graphql/schema';
import { FieldRefusedError } from '../../src/kernel/errors';
import { createLogger } from '../../src/kernel/logger';
import { anonymous } from '../../src/kernel/principal';
import { compare, inProcess, seed, type Ask, type TestCaller } from '../support/comparison';
import { graphql } from '../support/http';
import { startTestKeyward, testPepper, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';
import { Chance, type Subject } from '../support/random-documents';
import { ReferenceEvaluator } from '../support/reference-evaluator';

jest.setTimeout(300_000);

const documents = 10_000;
const sdl = readFileSync(join(__dirname, '..', '..', 'schema.graphql'), 'utf8');
const evaluator = new ReferenceEvaluator(sdl);

let keyward: TestKeyward;
let database: Database;
let rooms: Rooms;
let schema: GraphQLSchema;
let callers: readonly TestCaller[];
let subject: Subject;

beforeAll(async () => {
  keyward = await startTestKeyward();
  const { url } = keyward.database;
  const config = readConfig({ DATABASE_URL: url, KEYWARD_PEPPERS: testPepper });
  const { product, peppers } = config;
  const logger = createLogger('silent');
  database = await openDatabase({ url, settings: config.database, entities, logger });
  rooms = createRooms({ database, product, peppers, logger });
  schema = await createSchema(rooms.schema, product.catalogue);
  const chance = new Chance(seed);
  const elsewhere = await createOrganization(keyward, 'Elsewhere');
  const foreign = await elsewhere.createKey({ scopes: ['api_keys:read', 'analytics:read'] });
  const authenticator = new Authenticator({
    verification: rooms.verification,
    catalogue: product.catalogue,
    people: undefined,
  });
  const caller = async (secret: string, scopes: readonly string[]): Promise<TestCaller> => {
    const found = await authenticator.authenticate(
      { kind: 'bearer', token: secret },
      { requestId: 'evaluator', ip: null },
    );
    if (found.kind !== 'key') throw new Error('a new key is valid');
    return { secret, principal: found.principal, scopes: new Set(scopes), keyId: found.key.id };
  };
  const { names } = product.catalogue;
  const random = Array.from({ length: 40 }, () => {
    const share = chance.fraction();
    const scopes = names.filter((name) => name !== 'admin:full' && chance.happens(share));
    return scopes.length === 0 ? [chance.one(names)] : scopes;
  });
  const each = names.map((name) => [name]);
  callers = [
    { secret: null, principal: anonymous, scopes: null, keyId: null },
    await caller(foreign.secret, ['api_keys:read', 'analytics:read']),
    ...(await Promise.all(
      [...each, ...random].map(async (scopes) =>
        caller((await keyward.createKey({ scopes })).secret, scopes),
      ),
    )),
  ];
  const own = callers.flatMap(({ keyId }) => keyId ?? []);
  const secrets = callers.flatMap(({ secret }) => secret ?? []);
  const organizations = await keyward.database.sql<{ id: string }>('SELECT id FROM organizations');
  const nobody = '00000000-0000-4000-8000-000000000000';
  subject = {
    schema,
    ids: {
      ApiKey: [...own, foreign.id, nobody, 'no id'],
      Organization: [...organizations.map(({ id }) => id), nobody],
    },
    // Those that do the callers no harm; what they get makes sure of it.
    mutations: [
      'createApiKey',
      'updateApiKey',
      'revokeApiKey',
      'revokeCurrentApiKey',
      'verifyApiKey',
    ],
    values: {
      'CreateApiKeyInput.scopes': (luck) => [luck.one(names)],
      'UpdateApiKeyInput.id': (luck) => luck.one([...own, foreign.id, nobody]),
      'RevokeApiKeyInput.id': (luck) => luck.one([foreign.id, nobody]),
      'VerifyApiKeyInput.key': (luck) => luck.one([...secrets, 'nonsense']),
      'VerifyApiKeyInput.service': () => 'contacts',
      'VerifyApiKeyInput.requiredScopes': (luck) => [[luck.one(names)]],
      'VerifyApiKeyInput.clientIp': () => '203.0.113.7',
      'Mutation.revokeCurrentApiKey(note:)': () => '\u0007', // refused before anything is done
    },
  };
});
afterAll(async () => {
  await database.close();
  await keyward.stop();
});

const overHttp: Ask = async ({ text, variables }, { secret }) => {
  const { body, errors } = await graphql(keyward.url, { query: text, variables }, { key: secret });
  const refused = errors
    .filter(({ extensions }) => extensions.code === 'UNAUTHORIZED_FIELD_OR_TYPE')
    .map(({ path = [], extensions }) => ({ path: [...path], reason: extensions.reason }));
  return { data: body.data, refused };
};

test(`${documents} random documents of random callers are refused exactly what the SDL says`, async () => {
  const begunAtMs = performance.now();
  const ask = inProcess(schema);
  const { differences, refusals } = await compare(documents, ask, subject, evaluator, callers);
  process.stdout.write(`${refusals} refusals in ${Math.round(performance.now() - begunAtMs)} ms\n`);
  expect(differences).toEqual([]);
  expect(refusals).toBeGreaterThan(documents / 4);
  // No coordinate was left out; the few that chance met too seldom are looked for longer.
  for (let from = documents; untried().length > 0 && from < 4 * documents; from += 1000) {
    const more = await compare(1000, ask, subject, evaluator, callers, from);
    expect(more.differences).toEqual([]);
  }
  expect(untried()).toEqual([]);
});

/** The guarded fields that were not yet both refused to somebody and answered to somebody. */
function untried(): readonly string[] {
  return evaluator.guarded().filter((coordinate) => {
    const [type = '', field = ''] = coordinate.split('.');
    if (type === 'Mutation' && !subject.mutations.includes(field)) return false;
    const outcomes = evaluator.outcomes.get(coordinate) ?? new Set();
    return !outcomes.has(undefined) || outcomes.size < 2;
  });
}

test('so are documents that come over HTTP', async () => {
  const { differences, refusals } = await compare(500, overHttp, subject, evaluator, callers);
  expect(differences).toEqual([]);
  expect(refusals).toBeGreaterThan(100);
});

/** Changes one field of a schema of its own; the comparison has to notice. */
async function broken(change: (fields: Fields) => void, type: string): Promise<GraphQLSchema> {
  const other = await createSchema(rooms.schema, readConfig({}).product.catalogue);
  const found = other.getType(type);
  if (!isObjectType(found)) throw new Error(`no type ${type}`);
  change(found.getFields());
  return other;
}

type Fields = ReturnType<GraphQLObjectType['getFields']>;

const page = { edges: [], nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: false } };
const breakages: [string, () => Promise<GraphQLSchema>, RegExp][] = [
  [
    'a field that lost its guard',
    async () =>
      broken((fields) => answering(fields, 'auditEvents', { ...page, totalCount: 0 }), 'ApiKey'),
    /auditEvents|a\d+: (answered, should be null|should be refused)/,
  ],
  [
    'a field that is null without a word',
    async () => broken((fields) => answering(fields, 'apiKeys', null), 'Query'),
    /should be refused as \w+, was not refused/,
  ],
  [
    'a field that is refused to everybody',
    async () => broken((fields) => refusing(fields, 'description', 'INSUFFICIENT_SCOPE'), 'ApiKey'),
    /refused as INSUFFICIENT_SCOPE, should not be/,
  ],
  [
    'a wrong reason',
    async () => broken((fields) => refusing(fields, 'apiKeys', 'UNAUTHENTICATED'), 'Query'),
    /should be refused as INSUFFICIENT_SCOPE, was refused as UNAUTHENTICATED/,
  ],
  [
    'entities that anybody can have',
    async () => {
      const reference = {
        __resolveReference: async ({ id }: object & { id?: unknown }) => ({ id }),
      };
      const references = { ...rooms.schema.references, Organization: reference };
      return createSchema({ ...rooms.schema, references }, readConfig({}).product.catalogue);
    },
    /\.\d: (answered, should be null|should be refused)/,
  ],
];

function answering(fields: Fields, name: string, value: unknown): void {
  const field = fields[name];
  if (field !== undefined) field.resolve = () => value;
}

function refusing(fields: Fields, name: string, reason: FieldRefusedError['reason']): void {
  const field = fields[name];
  if (field === undefined) return;
  field.resolve = () => {
    throw new FieldRefusedError(reason, 'no');
  };
}

test.each(breakages)('the comparison notices %s', async (_, breakIt, difference) => {
  const ask = inProcess(await breakIt());
  const { differences } = await compare(3_000, ask, subject, evaluator, callers);
  expect(differences.join('\n')).toMatch(difference);
});
