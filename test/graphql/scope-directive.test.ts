import { buildSchema, graphql, type GraphQLSchema } from 'graphql';
import { Directive, Query, Resolver } from 'type-graphql';
import { newJournal, type RequestContext } from '../../src/graphql/context';
import { createSchema } from '../../src/graphql/schema';
import { DirectiveError } from '../../src/graphql/access-directives';
import { enforceScopes } from '../../src/graphql/scope-directive';
import { parseApiKeyId, parseOrganizationId } from '../../src/kernel/ids';
import { anonymous, type Principal } from '../../src/kernel/principal';
import { ScopeCatalogue } from '../../src/kernel/scopes';

const catalogue = new ScopeCatalogue(
  ['a', 'b', 'c', 'all'].map((name) => ({ name, title: name, description: '', group: 'READ' })),
  'all',
);

function guarded(sdl: string): GraphQLSchema {
  const schema = buildSchema(`
    directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
    directive @requiresScopes(scopes: [[String!]!]!)
      on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
    ${sdl}`);
  enforceScopes(schema, catalogue);
  return schema;
}

function keyWith(granted: readonly string[]): Principal {
  const id = '01890a5d-ac96-774b-bcce-b302099a8057';
  const apiKeyId = parseApiKeyId(id);
  const organizationId = parseOrganizationId(id);
  if (apiKeyId === undefined || organizationId === undefined) throw new Error('these are ids');
  return {
    kind: 'API_KEY',
    apiKeyId,
    organizationId,
    scopes: catalogue.effective(granted),
    environment: 'LIVE',
    expiresAt: null,
    actor: { kind: 'API_KEY', id, name: 'Test' },
  };
}

const root = {
  field: 'seen',
  thing: { __typename: 'Thing', id: '1', secret: 'seen' },
  things: [{ __typename: 'Thing', id: '1', secret: 'seen' }],
};

async function ask(schema: GraphQLSchema, source: string, principal: Principal) {
  const journal = newJournal();
  const contextValue: RequestContext = {
    caller: { principal, requestId: 'test-request', ip: null },
    journal,
  };
  const { data, errors = [] } = await graphql({ schema, source, rootValue: root, contextValue });
  return { data, errors: errors.map(({ originalError }) => originalError), journal };
}

describe('a schema is refused that', () => {
  test.each([
    ['names an unknown scope', 'type Query { f: Int @requiresScopes(scopes: [["a", "x"]]) }', 'x'],
    ['spells a scope otherwise', 'type Query { f: Int @requiresScopes(scopes: [["A"]]) }', '"A"'],
    ['has no list of scopes', 'type Query { f: Int @requiresScopes(scopes: []) }', 'at least one'],
    ['has an empty list', 'type Query { f: Int @requiresScopes(scopes: [[]]) }', 'at least one'],
    [
      'has an empty list beside another',
      'type Query { f: Int @requiresScopes(scopes: [["a"], []]) }',
      'at least one',
    ],
    ['guards a field that cannot be null', 'type Query { f: Int! @authenticated }', 'nullable'],
    [
      'guards a type that cannot be null somewhere',
      'type Query { f: Thing! } type Thing @requiresScopes(scopes: [["a"]]) { id: ID }',
      'nullable',
    ],
    [
      'guards an enum that cannot be null somewhere',
      'type Query { f: Colour! } enum Colour @authenticated { RED }',
      'nullable',
    ],
  ])('%s, naming the field', (_what, sdl, problem) => {
    expect(() => guarded(sdl)).toThrow(DirectiveError);
    expect(() => guarded(sdl)).toThrow(/^Query\.f: /);
    expect(() => guarded(sdl)).toThrow(problem);
  });

  test.each([
    ['I', 'interface I @authenticated { id: ID } type Query { f: I }'],
    ['I', 'interface I { id: ID } extend interface I @authenticated type Query { f: I }'],
    ['I.id', 'interface I { id: ID @requiresScopes(scopes: [["a"]]) } type Query { f: I }'],
  ])('has a directive on the interface or interface field %s, naming it', (coordinate, sdl) => {
    expect(() => guarded(sdl)).toThrow(DirectiveError);
    expect(() => guarded(sdl)).toThrow(new RegExp(`^${coordinate}: .*interface`));
  });

  test('a room brings, before anything is served', async () => {
    @Resolver()
    class Mistaken {
      @Directive('@requiresScopes(scopes: [["api_keys:reed"]])')
      @Query(() => String, { nullable: true })
      greeting(): string {
        return 'hello';
      }
    }
    const parts = { resolvers: [Mistaken], instances: [new Mistaken()], references: {} } as const;
    await expect(createSchema(parts, catalogue)).rejects.toThrow(
      'Query.greeting: @requiresScopes names the unknown scope "api_keys:reed".',
    );
  });
});

describe('@authenticated', () => {
  const schema = guarded('type Query { field: String @authenticated }');

  test('lets every caller with credentials in, whatever its scopes', async () => {
    expect(await ask(schema, '{ field }', keyWith([]))).toMatchObject({
      data: { field: 'seen' },
      errors: [],
    });
  });

  test('refuses a caller without', async () => {
    const { data, errors, journal } = await ask(schema, '{ field }', anonymous);
    expect(data).toEqual({ field: null });
    expect(errors).toMatchObject([{ reason: 'UNAUTHENTICATED' }]);
    expect(journal.refused).toBeNull();
  });
});

describe('@requiresScopes', () => {
  const schema = guarded(
    'type Query { field: String @requiresScopes(scopes: [["a", "b"], ["c"]]) }',
  );

  test.each([[['a', 'b']], [['c']], [['b', 'c']], [['a', 'b', 'c']], [['all']]])(
    'is met by all scopes of any list: %j',
    async (granted) => {
      const { data, errors, journal } = await ask(schema, '{ field }', keyWith(granted));
      expect(data).toEqual({ field: 'seen' });
      expect(errors).toEqual([]);
      expect(journal.refused).toBeNull();
    },
  );

  test.each([
    [[], [['a', 'b'], ['c']]],
    [['a'], [['b'], ['c']]],
    [['b'], [['a'], ['c']]],
    [
      ['A', 'B', 'C'],
      [['a', 'b'], ['c']],
    ],
  ])('is not met by %j: each list says what is missing', async (granted, missingScopes) => {
    const { data, errors, journal } = await ask(schema, '{ field }', keyWith(granted));
    expect(data).toEqual({ field: null });
    const requiredScopes = [['a', 'b'], ['c']];
    expect(errors).toMatchObject([
      { reason: 'INSUFFICIENT_SCOPE', details: { requiredScopes, missingScopes } },
    ]);
    expect(journal.refused).toBe('INSUFFICIENT_SCOPE');
  });

  test('on a field and on its type are both required', async () => {
    const both = guarded(`
      type Query { thing: Thing @requiresScopes(scopes: [["a"]]) }
      type Thing @requiresScopes(scopes: [["b"]]) { id: ID }`);
    for (const granted of [['a'], ['b'], []]) {
      expect((await ask(both, '{ thing { id } }', keyWith(granted))).data).toEqual({ thing: null });
    }
    const { data } = await ask(both, '{ thing { id } }', keyWith(['a', 'b']));
    expect(data).toEqual({ thing: { id: '1' } });
  });
});

describe('a directive on a type', () => {
  const schema = guarded(`
    type Query { thing: Thing things: [Thing!] any: Any shape: Shape field: Text }
    interface Shape { id: ID }
    type Thing implements Shape @requiresScopes(scopes: [["a"]]) { id: ID secret: String }
    union Any = Thing
    scalar Text @requiresScopes(scopes: [["b"]])`);
  const everything = `{ thing { id } things { id } any { ... on Thing { secret } }
    shape { id ... on Thing { secret } } field }`;
  const rootValue = { ...root, any: root.thing, shape: root.thing };
  const askAll = async (principal: Principal) =>
    graphql({
      schema,
      source: everything,
      rootValue,
      contextValue: {
        caller: { principal, requestId: 'test-request', ip: null },
        journal: newJournal(),
      },
    });

  test('guards it in lists, unions, interfaces and as a scalar', async () => {
    const { data, errors = [] } = await askAll(keyWith(['c']));
    expect(data).toEqual({
      thing: null,
      things: null,
      any: { secret: null },
      shape: { id: null, secret: null },
      field: null,
    });
    expect(errors.map(({ path }) => path?.join('.'))).toEqual(
      expect.arrayContaining([
        'thing',
        'things',
        'any.secret',
        'shape.id',
        'shape.secret',
        'field',
      ]),
    );
  });

  test('lets a caller with the scopes see it everywhere', async () => {
    const { data, errors } = await askAll(keyWith(['a', 'b']));
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({ any: { secret: 'seen' }, shape: { id: '1' }, field: 'seen' });
  });
});
