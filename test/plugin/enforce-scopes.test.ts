import type { GraphQLObjectType } from 'graphql';
import { buildSchema, graphql, subscribe, parse } from 'graphql';
import { createSchema } from 'graphql-yoga';
import { DirectiveError } from '../../src/graphql/access-directives';
import { enforceScopes } from '../../src/plugin/enforce-scopes';
import type { KeywardContext } from '../../src/plugin/subgraph';

const definitions = `
  directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
  directive @requiresScopes(scopes: [[String!]!]!)
    on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
  directive @federation__requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION`;

function callerWith(...scopes: string[]): KeywardContext {
  return {
    apiKey: { id: 'some-id', name: 'Some key', environment: 'LIVE', expiresAt: null },
    organization: { id: 'some-organization' },
    environment: 'LIVE',
    scopes,
  };
}

test.each([
  ['no context', undefined],
  ['an empty one', {}],
  ['one that another library made', { user: { id: '1' }, scopes: ['a'] }],
  ['one whose scopes are a text', { ...callerWith(), scopes: 'a' }],
  ['an anonymous caller', { apiKey: null, scopes: ['a'] }],
])('a context that holds no verdict sees no protected field: %s', async (_what, contextValue) => {
  const schema = enforceScopes(
    buildSchema(`${definitions} type Query { open: Int f: Int @requiresScopes(scopes: [["a"]]) }`),
  );
  const rootValue = { open: 1, f: 2 };
  const { data, errors } = await graphql({ schema, source: '{ open f }', rootValue, contextValue });
  expect(data).toEqual({ open: 1, f: null });
  const extensions = { code: 'UNAUTHORIZED_FIELD_OR_TYPE', reason: 'UNAUTHENTICATED' };
  expect(errors).toMatchObject([{ path: ['f'], extensions }]);
});

test('a directive is enforced under the name that federation gives it without an import', async () => {
  const schema = enforceScopes(
    buildSchema(
      `${definitions} type Query { f: Int @federation__requiresScopes(scopes: [["a"]]) }`,
    ),
  );
  const ask = async (contextValue: KeywardContext): Promise<unknown> =>
    (await graphql({ schema, source: '{ f }', rootValue: { f: 2 }, contextValue })).data;
  expect(await ask(callerWith('b'))).toEqual({ f: null });
  expect(await ask(callerWith('a'))).toEqual({ f: 2 });
});

test('a subscription whose events are protected is not even begun', async () => {
  let begun = 0;
  const schema = enforceScopes(
    createSchema({
      typeDefs: `${definitions}
        type Query { open: Int }
        type Subscription { ticks: Int @requiresScopes(scopes: [["a"]]) }`,
      resolvers: {
        Subscription: {
          ticks: {
            subscribe: async function* () {
              begun += 1;
              yield { ticks: begun };
            },
          },
        },
      },
    }),
  );
  const document = parse('subscription { ticks }');
  const refused = await subscribe({ schema, document, contextValue: callerWith('b') });
  const extensions = { reason: 'INSUFFICIENT_SCOPE' };
  expect(refused).toMatchObject({ errors: [{ path: ['ticks'], extensions }] });
  expect(begun).toBe(0);
  const events = await subscribe({ schema, document, contextValue: callerWith('a') });
  if (!(Symbol.asyncIterator in events)) throw new Error(JSON.stringify(events));
  expect((await events.next()).value).toEqual({ data: { ticks: 1 } });
});

describe('a schema is refused at the start', () => {
  test('without a field that is protected, for then something went wrong', () => {
    expect(() => enforceScopes(buildSchema('type Query { f: Int }'))).toThrow(DirectiveError);
  });

  test.each([
    [{ requiresScopes: { scopes: [['a']] } }],
    [[{ name: 'requiresScopes', args: { scopes: [['a']] } }]],
  ])('whose directives stand where they are not read: extensions.directives %j', (directives) => {
    const schema = buildSchema(`${definitions} type Query { f: Int @authenticated g: Int }`);
    const field = schema.getQueryType()?.getFields().g;
    if (field === undefined) throw new Error('there is such a field');
    field.extensions = { directives };
    expect(() => enforceScopes(schema)).toThrow(
      'Query.g: @requiresScopes stands in extensions.directives, not in the SDL.',
    );
  });

  test.each([
    '{ name: "@requiresScopes", as: "@needs" }',
    '{ as: "@needs", name: "@requiresScopes" }',
    '{ name: """@requiresScopes""", as: "@needs" }',
  ])('that imports a directive under another name: %s', (renamed) => {
    const schema = createSchema({
      typeDefs: `${definitions}
        directive @link(url: String!, import: [Import]) repeatable on SCHEMA
        directive @needs(scopes: [[String!]!]!) on FIELD_DEFINITION
        scalar Import
        schema @link(url: "https://specs.apollo.dev/federation/v2.9",
                     import: ["@key", ${renamed}]) { query: Query }
        type Query { f: Int @authenticated g: Int @needs(scopes: [["a"]]) }`,
    });
    expect(() => enforceScopes(schema)).toThrow('@requiresScopes is imported under another name');
  });

  test('that names a scope which the given catalogue lacks', () => {
    const sdl = `${definitions} type Query { f: Int @requiresScopes(scopes: [["contacts:reed"]]) }`;
    expect(() => enforceScopes(buildSchema(sdl), { scopes: ['contacts:read'] })).toThrow(
      'Query.f: @requiresScopes names the unknown scope "contacts:reed".',
    );
    expect(() => enforceScopes(buildSchema(sdl))).not.toThrow();
  });

  test('that another copy of the package graphql made', () => {
    const other = loadAnew('graphql') as { buildSchema: typeof buildSchema };
    const sdl = `${definitions} type Query { f: Int @authenticated }`;
    expect(() => enforceScopes(other.buildSchema(sdl))).toThrow('another copy of the package');
  });

  test('in which another copy of the package graphql made a type', () => {
    const other = loadAnew('graphql') as { GraphQLObjectType: typeof GraphQLObjectType };
    const schema = buildSchema(`${definitions} type Query { f: Int @authenticated }`);
    const foreign = new other.GraphQLObjectType({ name: 'T', fields: {} });
    schema.getTypeMap().T = foreign;
    expect(() => enforceScopes(schema)).toThrow(/another (copy of the package|module or realm)/);
  });
});

/** A second copy of a package, as a second installation would be. */
function loadAnew(name: string): unknown {
  let copy: unknown;
  jest.isolateModules(() => (copy = jest.requireActual(name)));
  return copy;
}
