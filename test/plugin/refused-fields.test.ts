import {
  buildSchema,
  execute,
  getOperationAST,
  GraphQLError,
  isInterfaceType,
  isObjectType,
  parse,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { requirementsOf } from '../../src/graphql/access-directives';
import { missingScopes } from '../../src/kernel/scopes';
import { mend } from '../../src/plugin/mended-result';
import type { PermittedDocument } from '../../src/plugin/refused-fields';
import { SupergraphRules } from '../../src/plugin/supergraph-rules';
import { seed } from '../support/comparison';
import { Chance, randomRequest } from '../support/random-documents';

// Directives wherever a composed supergraph may have them; `!` stands where a variant has it.
const sdl = (bang: '' | '!'): string => `
  directive @authenticated on FIELD_DEFINITION | OBJECT | SCALAR | ENUM
  directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | SCALAR | ENUM

  scalar Money @requiresScopes(scopes: [["b"]])
  enum Colour @authenticated { RED }
  type Query {
    open: Open
    member: Open @authenticated
    hidden: Hidden
    nodes: [Node]
    grid: [[Open${bang}]]
    anything: [Anything${bang}]${bang}
  }
  interface Node { id: ID next: Node name: String money: Money }
  union Anything = Open | Hidden | Closed
  type Open implements Node {
    id: ID
    next: Node
    name: String @requiresScopes(scopes: [["a", "b"], ["c"]])
    money: Money
    colour: Colour${bang}
    list: [Open${bang}]${bang}
    secret: Int${bang} @requiresScopes(scopes: [["a"]])
    anything: Anything
  }
  type Closed implements Node {
    id: ID${bang} @requiresScopes(scopes: [["c"]])
    next: Node
    name: String
    money: Money
  }
  type Hidden implements Node @requiresScopes(scopes: [["a"]]) {
    id: ID
    next: Node
    name: String
    money: Money
    open: Open${bang}
  }
`;

const open = { __typename: 'Open', id: 'o', name: 'open', colour: 'RED', secret: 1 };
const closed = { __typename: 'Closed', id: 'c', name: 'closed' };
const hidden = { __typename: 'Hidden', id: 'h', name: 'hidden' };
for (const each of [open, closed, hidden]) {
  Object.assign(each, { ...{ money: 5, next: closed, open, list: [open], anything: hidden } });
}
const rootValue = {
  ...{ open, member: open, hidden, nodes: [open, null, closed, hidden] },
  ...{ grid: [[open, open], null], anything: [open, hidden, closed] },
};

type Scopes = ReadonlySet<string> | undefined;

/** The schema as a server would enforce it that decides when a field is reached. */
function enforced(source: string): GraphQLSchema {
  const schema = buildSchema(source);
  for (const type of Object.values(schema.getTypeMap()).filter(isObjectType)) {
    for (const field of Object.values(type.getFields())) {
      const requirements = requirementsOf(type, field, () => true);
      if (requirements === undefined) continue;
      field.resolve = (value: Readonly<Record<string, unknown>>, _args, scopes: Scopes) => {
        const met =
          scopes && requirements.every((each) => missingScopes(scopes, each).length === 0);
        if (met !== true) throw new GraphQLError('refused');
        return value[field.name];
      };
    }
  }
  return schema;
}

async function run(
  schema: GraphQLSchema,
  document: DocumentNode,
  scopes: Scopes,
  variableValues = {},
): Promise<ExecutionResult> {
  return execute({ schema, document, rootValue, contextValue: scopes, variableValues });
}

function permit(
  schema: GraphQLSchema,
  document: DocumentNode,
  scopes: Scopes,
): PermittedDocument | undefined {
  const operation = getOperationAST(document);
  if (operation == null) throw new Error('there is one operation');
  return new SupergraphRules(schema).permit(document, operation, scopes);
}

/** What is answered when refused fields are not even asked for. */
async function runPermitted(
  schema: GraphQLSchema,
  document: DocumentNode,
  scopes: Scopes,
  variableValues = {},
): Promise<ExecutionResult> {
  const permitted = permit(schema, document, scopes);
  const asked = permitted?.document ?? document;
  const result = await run(schema, asked, scopes, variableValues);
  expect(result.errors).toBeUndefined(); // else something refused was asked for
  return permitted ? mend(result, permitted) : result;
}

const pathsOf = ({ errors = [] }: ExecutionResult): string[] =>
  errors.map(({ path }) => path?.join('.') ?? '').sort();

test.each([
  ['every field may be null', ''],
  ['fields, items and lists may not be null', '!'],
] as const)('taking refused fields out beforehand changes no answer, where %s', async (_, bang) => {
  const schema = enforced(sdl(bang));
  const callers = [null, [], ['a'], ['b'], ['c'], ['a', 'b'], ['a', 'b', 'c']];
  let refusals = 0;
  let sent = 0;
  for (let compared = 0; compared < 400; sent += 1) {
    const chance = new Chance(seed + sent * 0x9e37_79b1);
    const { document, variables, text } = randomRequest({ schema, ids: {}, mutations: [] }, chance);
    const granted = chance.one(callers);
    const scopes = granted === null ? undefined : new Set(granted);
    // Of interfaces less is answered than enforcement field by field would; see below.
    const refused = [...(permit(schema, document, scopes)?.refused.values() ?? [])];
    if (refused.some(({ parent }) => isInterfaceType(parent))) continue;
    compared += 1;
    const atOnce = await run(schema, document, scopes, variables);
    const beforehand = await runPermitted(schema, document, scopes, variables);
    const about = `${text}\n${String(granted)} ${JSON.stringify(variables)}\n`;
    expect(about + JSON.stringify(beforehand.data)).toBe(about + JSON.stringify(atOnce.data));
    // Where a null climbs, a server may leave its other errors below unsaid (GraphQL, 6.4.4).
    const told = pathsOf(beforehand);
    expect([about, pathsOf(atOnce).filter((path) => !told.includes(path))]).toEqual([about, []]);
    if (bang === '') expect([about, told]).toEqual([about, pathsOf(atOnce)]);
    refusals += told.length;
  }
  expect(refusals).toBeGreaterThan(100);
});

test.each([
  ['itself, as composition puts it there', '@authenticated'],
  ['nowhere but on an implementation', ''],
])('a field is refused of an interface with the directive %s', async (_what, directive) => {
  const schema = buildSchema(`
    directive @authenticated on FIELD_DEFINITION
    type Query { open: Node }
    interface Node { id: ID name: String ${directive} }
    type Open implements Node { id: ID name: String }
    type Closed implements Node { id: ID name: String @authenticated }`);
  const document = parse('{ open { id name ... on Open { own: name } } }');
  const result = await runPermitted(schema, document, undefined);
  expect(result.data).toEqual({ open: { id: 'o', name: null, own: 'open' } });
  expect(pathsOf(result)).toEqual(['open.name']);
});

test('a client that uses the names which stand for refused fields gets its own answers', async () => {
  const schema = enforced(sdl(''));
  const document = parse('{ refused_0: __typename refused__0: open { refused_1: secret id } }');
  const { data } = await runPermitted(schema, document, new Set(['b']));
  expect(data).toEqual({ refused_0: 'Query', refused__0: { refused_1: null, id: 'o' } });
});

test('refused fields that stand in one place are refused once', async () => {
  const schema = enforced(sdl(''));
  const document = parse(
    '{ open { ...A secret ... on Open { secret } } } fragment A on Open { secret }',
  );
  const result = await runPermitted(schema, document, new Set());
  expect(result.data).toEqual({ open: { secret: null } });
  expect(pathsOf(result)).toEqual(['open.secret']);
});

test('the result that is mended stays as it was: a gateway may share it between requests', async () => {
  const schema = enforced(sdl(''));
  const document = parse('{ open { id secret } }');
  const permitted = permit(schema, document, new Set());
  if (permitted === undefined) throw new Error('something is refused');
  const result = await run(schema, permitted.document, new Set());
  const before = JSON.stringify(result);
  mend(result, permitted);
  expect(JSON.stringify(result)).toBe(before);
});
