import fc from 'fast-check';
import {
  buildSchema,
  executeSync,
  getIntrospectionQuery,
  getOperationAST,
  parse,
  validate,
} from 'graphql';
import { operationCost, type ListSizes } from '../../src/graphql/document-cost';

const schema = buildSchema(`
  scalar Any
  interface Thing { id: ID! node: Node! }
  type Query { node: Node! thing: Thing! nodes(first: Int, last: Int): [Node!]!
    paged(first: Int = 20, after: String): [Node!]! usage(days: Int): [Node!]!
    things(first: Int): Things! _entities(representations: [Any!]!): [Node]! search(filter: Filter, first: Int): [Node!]! }
  type Node implements Thing { id: ID! node: Node! nodes(first: Int, last: Int): [Node!]! }
  type Things { edges: [Edge!]! nodes: [Node!]! total: Int! last: Node! }
  type Edge { cursor: ID! node: Node! }
  input Filter { tags: [String!] name: String }
`);
const listSizes: ListSizes = { 'Query.usage': ({ days }) => (typeof days === 'number' ? days : 7) };
const costs = { listSizes, fieldCost: () => 1 };

function cost(
  source: string,
  variables: Record<string, unknown> = {},
  maxCost = 1_000_000,
): number {
  const document = parse(source);
  expect(validate(schema, document)).toEqual([]);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('the test must name one operation');
  return operationCost({ schema, document, operation, variables, ...costs, maxCost });
}

describe('the cost of an operation', () => {
  const examples: [source: string, expected: number, variables?: Record<string, unknown>][] = [
    ['{ __typename }', 1],
    ['{ node { id __typename } thing { id ... on Node { id } } }', 6],
    ['{ nodes(first: 10) { id } }', 11],
    ['{ nodes(last: 10) { id } }', 11],
    ['{ nodes(first: 3, last: 10) { id } }', 11],
    ['{ nodes { id } }', 51],
    ['{ nodes(first: null) { id } }', 51],
    ['{ paged { id } }', 21],
    ['{ nodes(first: 0) { id } }', 1],
    ['{ nodes(first: -7) { id } }', 1],
    ['{ nodes(first: 2000000000) { id } }', 201],
    ['{ nodes(first: 10) { nodes(first: 10) { id } } }', 111],
    ['query ($n: Int) { nodes(first: $n) { id } }', 8, { n: 7 }],
    ['query ($n: Int) { nodes(first: $n) { id } }', 51, {}],
    ['query ($n: Int) { nodes(first: $n) { id } }', 51, { n: null }],
    ['query ($n: Int = 4) { nodes(first: $n) { id } }', 5, {}],
    ['query ($n: Int = 4) { nodes(first: $n) { id } }', 10, { n: 9 }],
    ['query ($n: Int) { nodes(first: $n) { id } }', 51, { n: 'not a number' }],
    ['query ($constructor: Int) { nodes(first: $constructor) { id } }', 51, {}],
    ['query ($r: [Any!]!) { _entities(representations: $r) { id } }', 4, { r: [{}, {}, {}] }],
    ['{ _entities(representations: ["a", "b"]) { id } }', 5],
    ['{ things(first: 10) { total last { id } nodes { id } } }', 15],
    ['{ things(first: 10) { edges { cursor node { id } } total } }', 33],
    ['{ things(first: 10) { ...t } } fragment t on Things { total nodes { id } }', 13],
    ['{ things(first: 10) { nodes { nodes(first: 5) { id } } } }', 62],
    ['{ usage(days: 30) { id } }', 31],
    ['{ usage { id } }', 8],
    ['{ search(first: 1, filter: { tags: ["a", "b"], name: "c" }) { id } }', 6],
    ['{ node { ...f ...f } } fragment f on Node { id node { id } }', 7],
  ];

  test.each(
    examples.map(([source, expected, variables = {}]) => ({ source, expected, variables })),
  )('of $source with $variables is $expected', ({ source, expected, variables }) => {
    expect(cost(source, variables)).toBe(expected);
  });

  test('is that of the chosen operation alone', () => {
    const document = parse('query small { node { id } } query large { nodes { id } }');
    const operation = getOperationAST(document, 'small');
    if (!operation) throw new Error('the document has this operation');
    const input = { schema, document, operation, variables: {}, ...costs, maxCost: 100 };
    expect(operationCost(input)).toBe(2);
  });

  test('stays a finite number for 200 to the power of 200', () => {
    const source = `{ ${'nodes(first: 200) { '.repeat(200)}id${' }'.repeat(201)}`;
    expect(Number.isSafeInteger(cost(source))).toBe(true);
  });
});

describe('the cost of introspection', () => {
  const countFields = (answer: unknown): number => {
    if (Array.isArray(answer))
      return answer.reduce<number>((sum, item) => sum + countFields(item), 0);
    if (typeof answer !== 'object' || answer === null) return 0;
    return Object.values(answer).reduce<number>((sum, value) => sum + 1 + countFields(value), 0);
  };

  test.each([
    getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true, schemaDescription: true }),
    '{ __schema { types { fields { type { fields { name } } } } directives { args { type { name } } } } }',
    '{ __type(name: "Thing") { possibleTypes { name interfaces { name } } } }',
    '{ __type(name: "Nowhere") { name } }',
    'query ($n: String = "Filter") { __type(name: $n) { inputFields { type { ofType { name } } } } }',
  ])('is exactly the number of fields that execution resolves: %s', (source) => {
    const { data, errors } = executeSync({ schema, document: parse(source) });
    expect(errors).toBeUndefined();
    expect(cost(source)).toBe(countFields(data));
  });

  test('is more than any limit once the walk was stopped there', () => {
    const aliases = Array.from({ length: 90 }, (_, i) => `a${i}: name`).join(' ');
    const source = `{ __schema { types { fields { args { ${aliases} } type { ${aliases} } } } } }`;
    expect(cost(source, {}, 1_000)).toBeGreaterThan(1_000);
  });
});

type Selection =
  | { readonly kind: 'leaf' }
  | { readonly kind: 'node'; readonly below: readonly Selection[] }
  | { readonly kind: 'inline'; readonly below: readonly Selection[] }
  | { readonly kind: 'nodes'; readonly first: number; readonly below: readonly Selection[] }
  | { readonly kind: 'spread'; readonly skip: number };

const { selections } = fc.letrec<{ selections: Selection[]; selection: Selection }>((tie) => ({
  selections: fc.array(tie('selection'), { minLength: 1, maxLength: 3 }),
  selection: fc.oneof(
    { maxDepth: 4 },
    fc.constant<Selection>({ kind: 'leaf' }),
    fc.record({ kind: fc.constant('spread' as const), skip: fc.nat(2) }),
    fc.record({ kind: fc.constant('node' as const), below: tie('selections') }),
    fc.record({ kind: fc.constant('inline' as const), below: tie('selections') }),
    fc.record({
      kind: fc.constant('nodes' as const),
      first: fc.nat(250),
      below: tie('selections'),
    }),
  ),
}));

/** A spread in body `at` reaches a later body; where there is none, it is a leaf. */
const target = (bodies: readonly unknown[], at: number, skip: number) =>
  at + 1 + skip < bodies.length ? at + 1 + skip : undefined;

function print(bodies: readonly Selection[][], at: number, selection: Selection): string {
  if (selection.kind === 'leaf') return 'id';
  if (selection.kind === 'spread') {
    const to = target(bodies, at, selection.skip);
    return to === undefined ? 'id' : `...f${to}`;
  }
  const below = selection.below.map((part) => print(bodies, at, part)).join(' ');
  if (selection.kind === 'inline') return `... on Node { ${below} }`;
  const alias = `a${below.length}${selection.kind}`;
  if (selection.kind === 'node') return `${alias}: node { ${below} }`;
  return `${alias}x${selection.first}: nodes(first: ${selection.first}) { ${below} }`;
}

function expandedCost(bodies: readonly Selection[][], at: number): number {
  const costOf = (selection: Selection): number => {
    if (selection.kind === 'leaf') return 1;
    if (selection.kind === 'spread') {
      const to = target(bodies, at, selection.skip);
      return to === undefined ? 1 : expandedCost(bodies, to);
    }
    const below = selection.below.map(costOf).reduce((sum, part) => sum + part, 0);
    if (selection.kind === 'inline') return below;
    return 1 + below * (selection.kind === 'node' ? 1 : Math.min(selection.first, 200));
  };
  return (bodies[at] ?? []).map(costOf).reduce((sum, part) => sum + part, 0);
}

test('the memoised cost of any document equals that of the document with fragments expanded', () => {
  fc.assert(
    fc.property(fc.array(selections, { minLength: 1, maxLength: 5 }), (bodies) => {
      const printed = bodies.map((body, at) =>
        body.map((part) => print(bodies, at, part)).join(' '),
      );
      const fragments = printed.map((body, at) => `fragment f${at} on Node { ${body} }`);
      const document = parse(`{ node { ...f0 } } ${fragments.join(' ')}`);
      const operation = getOperationAST(document);
      if (!operation) throw new Error('the document has one operation');
      const input = { schema, document, operation, variables: {}, ...costs, maxCost: 1 };
      expect(operationCost(input)).toBe(Math.min(1_000_000_000, 1 + expandedCost(bodies, 0)));
    }),
    { numRuns: 500 },
  );
});
