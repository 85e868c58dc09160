import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ApolloServer, HeaderMap } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { getIntrospectionQuery, type GraphQLFormattedError } from 'graphql';
import {
  defaultDocumentLimits,
  documentLimitOptions,
  type DocumentLimits,
} from '../../src/graphql/document-limits';
import { describeRefusal, isLimitRefusal } from '../../src/graphql/limit-refusal';
import { costLimitPlugin } from '../../src/graphql/limits.plugin';

const typeDefs = `
  type Query { node: Node! nodes(first: Int, last: Int, filter: Filter): [Node!]! }
  type Node { id: ID! name: String node: Node! nodes(first: Int): [Node!]! }
  input Filter { search: String tags: [String!] }
`;
const node = { id: '1', name: 'one', node: () => node, nodes: () => [node] };

interface Answer {
  readonly status: number;
  readonly body: { data?: unknown; errors?: GraphQLFormattedError[] };
}
interface Sent {
  readonly variables?: Record<string, unknown>;
  readonly accept?: string;
}

class Endpoint {
  resolved = 0;
  private readonly apollo: ApolloServer;
  private readonly http: Server;

  constructor(limits: DocumentLimits) {
    const count = () => {
      this.resolved += 1;
      return node;
    };
    this.apollo = new ApolloServer({
      typeDefs,
      resolvers: { Query: { node: count, nodes: () => [count()] } },
      introspection: true,
      includeStacktraceInErrorResponses: false,
      formatError: describeRefusal,
      plugins: [costLimitPlugin(limits), ApolloServerPluginCacheControlDisabled()],
      ...documentLimitOptions(limits),
    });
    this.http = createServer((request, response) => {
      void (async () => {
        const headers = new HeaderMap();
        for (const [name, value] of Object.entries(request.headers)) {
          headers.set(name, String(value));
        }
        const body: unknown = JSON.parse(await text(request));
        const answer = await this.apollo.executeHTTPGraphQLRequest({
          httpGraphQLRequest: { method: 'POST', headers, search: '', body },
          context: async () => ({}),
        });
        response.writeHead(answer.status ?? 200, Object.fromEntries(answer.headers));
        response.end(answer.body.kind === 'complete' ? answer.body.string : '');
      })();
    });
  }

  async start(): Promise<void> {
    await this.apollo.start();
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.http.close(resolve));
    await this.apollo.stop();
  }

  async send(query: string, { variables, accept = 'application/json' }: Sent = {}) {
    const { port } = this.http.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query, variables }),
    });
    const body: unknown = await response.json();
    return { status: response.status, body } as Answer;
  }
}

const times = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => part(index)).join(' ');
const nested = (depth: number) => `{ ${'node { '.repeat(depth - 1)}id${' }'.repeat(depth)}`;
const manyAliases = (count: number) => `{ node { ${times(count, (i) => `a${i}: id`)} } }`;
const fragmentBomb = (levels: number) =>
  `{ node { ...f0 } } ${times(levels, (i) => `fragment f${i} on Node { ...f${i + 1} ...f${i + 1} }`)}
   fragment f${levels} on Node { id }`;

/** What a page costs whose every item costs that much. */
const page = (size: number, item: number) => 51 + size * (6 + item);

const limits = defaultDocumentLimits;
const standard = new Endpoint(limits);
const roomy = new Endpoint({ ...limits, maxTokens: 100_000 });

beforeAll(() => Promise.all([standard.start(), roomy.start()]));
afterAll(() => Promise.all([standard.stop(), roomy.stop()]));

function expectRefusal(answer: Answer, limit: string, allowed: number, found?: number) {
  expect(answer.status).toBe(400);
  expect(answer.body.data).toBeUndefined();
  const refusal = answer.body.errors?.find((error) => error.extensions?.limit === limit);
  expect(refusal?.message).toContain(`${allowed} are allowed (limit "${limit}")`);
  if (found !== undefined) expect(refusal?.message).toContain(`this one has ${found}.`);
  expect(refusal?.extensions?.code).toBe(
    limit === 'tokens' ? 'GRAPHQL_PARSE_FAILED' : 'GRAPHQL_VALIDATION_FAILED',
  );
  expect(refusal && isLimitRefusal(refusal)).toBe(true);
}

describe.each(['application/json', 'application/graphql-response+json'])(
  'for a client that accepts %s',
  (accept) => {
    const refused = async (query: string, limit: string, allowed: number, found?: number) => {
      expectRefusal(await roomy.send(query, { accept }), limit, allowed, found);
    };

    test('a document of 10,000 aliases is refused with 400 naming the limit of tokens', async () => {
      const answer = await standard.send(manyAliases(10_000), { accept });
      expectRefusal(answer, 'tokens', limits.maxTokens);
    });

    test('a document of 10,000 aliases is refused with 400 naming the limit of aliases', () =>
      refused(manyAliases(10_000), 'aliases', limits.maxAliases, 10_000));

    test('a document 500 fields deep is refused with 400 naming the limit', () =>
      refused(nested(500), 'depth', limits.maxDepth, 500));

    test('a document of 1,000 spreads is refused with 400 naming the limit', () =>
      refused(
        `{ node { ${times(1_000, () => '...f')} } } fragment f on Node { id }`,
        'fragments',
        limits.maxFragments,
        1_001,
      ));

    test('an operation of 1,000 root fields is refused with 400 naming the limit', () =>
      refused(
        `{ ${times(1_000, () => 'node { id }')} }`,
        'rootFields',
        limits.maxRootFields,
        1_000,
      ));

    test('a document of 1,000 directives is refused with 400 naming the limit', () =>
      refused(
        `{ node { ${times(1_000, () => 'id @skip(if: false)')} } }`,
        'directives',
        limits.maxDirectives,
        1_000,
      ));

    test('an operation of large pages is refused with 400 naming the limit of cost', async () => {
      const query = 'query ($n: Int) { nodes(first: $n) { nodes(first: $n) { id } } }';
      const answer = await standard.send(query, { accept, variables: { n: 100 } });
      expectRefusal(answer, 'cost', limits.maxCost, page(100, page(100, 1)));
    });
  },
);

describe('every limit', () => {
  test('counts through fragments what a document only repeats by name', async () => {
    const levels = times(40, (i) => `fragment f${i} on Node { node { ...f${i + 1} } }`);
    const deep = `{ node { ...f0 } } ${levels} fragment f40 on Node { id }`;
    expectRefusal(await standard.send(deep), 'depth', limits.maxDepth, 42);
    const wide = `{ ...f ...f ...f } fragment f on Query { ${times(20, () => 'node { id }')} }`;
    expectRefusal(await standard.send(wide), 'rootFields', limits.maxRootFields, 60);
  });

  test('refuses a fragment bomb of 2^60 fields before anything of it runs', async () => {
    const before = standard.resolved;
    const answer = await standard.send(fragmentBomb(60));
    expectRefusal(answer, 'cost', limits.maxCost);
    expect(answer.body.errors?.[0]?.message).toContain('too many to count');
    expect(standard.resolved).toBe(before);
  });

  test('leaves fragment cycles to the specified rules, and does not loop', async () => {
    const cycle =
      '{ node { ...a } } fragment a on Node { ...b } fragment b on Node { node { ...a } }';
    const { status, body } = await standard.send(cycle);
    expect(status).toBe(400);
    expect(body.errors).toEqual([
      expect.objectContaining({ message: expect.stringContaining('within itself') as string }),
    ]);
  });

  test('answers what stands exactly at the limit and refuses one more', async () => {
    expect((await standard.send(nested(limits.maxDepth))).status).toBe(200);
    expectRefusal(await standard.send(nested(limits.maxDepth + 1)), 'depth', limits.maxDepth, 17);
    expect((await standard.send(manyAliases(limits.maxAliases))).status).toBe(200);
    const oneMore = await standard.send(manyAliases(limits.maxAliases + 1));
    expectRefusal(oneMore, 'aliases', limits.maxAliases, 101);
  });

  test('names each limit that a document passes', async () => {
    const both = `{ ${times(200, (i) => `a${i}: node { id @skip(if: false) }`)} }`;
    const { body } = await roomy.send(both);
    const named = body.errors?.map(({ extensions }) => extensions?.limit);
    expect(named).toEqual(['aliases', 'rootFields', 'directives']);
  });

  test('holds for a document that was answered before with smaller variables', async () => {
    const query = 'query ($n: Int) { nodes(first: $n) { id nodes(first: $n) { id } } }';
    expect((await standard.send(query, { variables: { n: 2 } })).status).toBe(200);
    const answer = await standard.send(query, { variables: { n: 200 } });
    expectRefusal(answer, 'cost', limits.maxCost, page(200, 1 + page(200, 1)));
  });
});

describe('ordinary documents', () => {
  test('the introspection query of graphql-js, GraphiQL and code generators is answered', async () => {
    const everything = getIntrospectionQuery({
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    });
    for (const query of [getIntrospectionQuery(), everything]) {
      const { status, body } = await standard.send(query);
      expect(body.errors).toBeUndefined();
      expect(status).toBe(200);
    }
  });

  test("a dashboard's page of over 600 tokens and 40 aliases is answered", async () => {
    const panel = 'id name list: nodes(first: 5) { id name node { id name } }';
    const half = times(16, (i) => `p${i}: node { ${panel} node { id name node { id } } }`);
    const page = `query Page { ${half} ${times(10, (i) => `q${i}: node { ...Panel }`)} }
      fragment Panel on Node { ${panel} other: node { ... on Node { id name } } }`;
    expect(page.match(/\w+|[^\w\s]/g)?.length).toBeGreaterThan(600);
    expect((await standard.send(page)).status).toBe(200);
  });

  test('ordinary errors are not refusals of a limit', async () => {
    for (const query of ['{', '{ unknown }', 'query ($n: Int) { node { id } }']) {
      const { body } = await standard.send(query);
      expect(body.errors?.map(isLimitRefusal)).toEqual([false]);
    }
  });
});

describe('an answer to a wrong request', () => {
  test('has at most ten errors and the word that there are more', async () => {
    const { body } = await standard.send(`{ node { ${times(300, (i) => `x${i}`)} } }`);
    expect(body.errors).toHaveLength(11);
    expect(body.errors?.[10]?.message).toContain('Too many validation errors');
  });

  test('repeats a wrong variable once, however much is wrong in it', async () => {
    const filter = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`x${i}`, i]));
    const query = 'query ($filter: Filter) { nodes(filter: $filter) { id } }';
    const { body } = await standard.send(query, { variables: { filter } });
    expect(body.errors).toHaveLength(2);
    expect(JSON.stringify(body).length).toBeLessThan(2 * JSON.stringify(filter).length);
  });
});
