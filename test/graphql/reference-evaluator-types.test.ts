import { buildSchema, type GraphQLSchema } from 'graphql';
import { enforceScopes } from '../../src/graphql/scope-directive';
import { newApiKeyId, newOrganizationId } from '../../src/kernel/ids';
import { anonymous } from '../../src/kernel/principal';
import { ScopeCatalogue } from '../../src/kernel/scopes';
import { compare, inProcess, seed, type TestCaller } from '../support/comparison';
import { Chance, type Subject } from '../support/random-documents';
import { ReferenceEvaluator } from '../support/reference-evaluator';

// What Keyward's own schema does not (yet) use of the directives: on types, on extensions, on both
// ends of a field, several lists, behind interfaces and unions.
const sdl = `
  directive @authenticated on FIELD_DEFINITION | OBJECT
  directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT

  type Query {
    open: Open!
    either: Open @requiresScopes(scopes: [["a"], ["b", "c"]])
    members: Open @authenticated
    hidden: Hidden
    twice: Hidden @requiresScopes(scopes: [["b"]])
    extended: Extended
    nodes(first: Int): [Node]
    anything: [Anything]
  }
  interface Node { id: ID self: Node hidden: Hidden }
  union Anything = Open | Hidden | Extended
  type Open implements Node {
    id: ID
    self: Node
    name: String! 
    hidden: Hidden
    number: Int @requiresScopes(scopes: [["a", "b", "c"]])
    all: [Anything]
    word: String @authenticated
  }
  "Seen with a only."
  type Hidden implements Node @requiresScopes(scopes: [["a"]]) {
    id: ID
    self: Node
    hidden: Hidden
    open: Open
    more: String @requiresScopes(scopes: [["b"], ["c"]])
  }
  type Extended { id: ID open: Open word: String @requiresScopes(scopes: [["c"]]) }
  extend type Extended @authenticated
`;

const names = ['a', 'b', 'c'];
const catalogue = new ScopeCatalogue(
  [...names, 'admin:full'].map((name) => ({ name, title: name, description: '', group: 'READ' })),
  'admin:full',
);

const open = { __typename: 'Open', name: 'open', number: 1, word: 'word' };
const hidden = { __typename: 'Hidden', more: 'more' };
const extended = { __typename: 'Extended', word: 'word' };
const everything = [open, hidden, extended];
const links = {
  ...{ open: () => open, either: () => open, members: () => open },
  ...{ hidden: () => hidden, twice: () => hidden, extended: () => extended },
  ...{ self: () => hidden, nodes: () => [open, hidden] },
  ...{ anything: () => everything, all: () => everything },
};
for (const each of everything) Object.assign(each, links);

function makeSchema(): GraphQLSchema {
  const schema = buildSchema(sdl);
  const query = schema.getQueryType()?.getFields() ?? {};
  for (const [name, field] of Object.entries(query)) {
    field.resolve = () => Object.entries(links).find(([link]) => link === name)?.[1]();
  }
  return schema;
}

function caller(scopes: readonly string[] | null): TestCaller {
  if (scopes === null) return { secret: null, principal: anonymous, scopes, keyId: null };
  const id = newApiKeyId();
  return {
    secret: null,
    scopes: new Set(scopes),
    keyId: id,
    principal: {
      ...{ kind: 'API_KEY', apiKeyId: id, organizationId: newOrganizationId() },
      ...{ scopes: catalogue.effective(scopes), environment: 'LIVE', expiresAt: null },
      actor: { kind: 'API_KEY', id, name: 'Some key' },
    },
  };
}

const chance = new Chance(seed);
const callers = [
  caller(null),
  ...[[], ['admin:full'], names, ...names.map((name) => [name])].map(caller),
  // Some differences show only to these, which chance does not always bring.
  ...[
    ['a', 'b'],
    ['a', 'c'],
    ['b', 'c'],
  ].map(caller),
  ...Array.from({ length: 10 }, () => caller(names.filter(() => chance.happens(0.5)))),
];

function subjectOf(schema: GraphQLSchema): Subject {
  return { schema, ids: { none: ['1'] }, mutations: [] };
}

test('2,000 random documents on a schema with directives everywhere are refused what its SDL says', async () => {
  const schema = makeSchema();
  enforceScopes(schema, catalogue);
  const evaluator = new ReferenceEvaluator(sdl);
  const found = await compare(2_000, inProcess(schema), subjectOf(schema), evaluator, callers);
  expect(found.differences).toEqual([]);
  const untried = evaluator.guarded().filter((coordinate) => {
    const outcomes = evaluator.outcomes.get(coordinate) ?? new Set();
    return !outcomes.has(undefined) || outcomes.size < 2;
  });
  expect(untried).toEqual([]);
});

test.each([
  ['a list more', '[["a"], ["b", "c"]]', '[["a"], ["b"]]'],
  ['a scope more', '[["b"], ["c"]]', '[["b", "c"]]'],
  [
    'no directive on the type',
    'Hidden implements Node @requiresScopes(scopes: [["a"]])',
    'Hidden implements Node',
  ],
  ['no directive on the extension', 'extend type Extended @authenticated', ''],
])('the comparison notices %s', async (_, from, to) => {
  const schema = makeSchema();
  enforceScopes(schema, catalogue);
  expect(sdl).toContain(from);
  const evaluator = new ReferenceEvaluator(sdl.replace(from, to));
  const found = await compare(5_000, inProcess(schema), subjectOf(schema), evaluator, callers);
  expect(found.differences).not.toEqual([]);
});
