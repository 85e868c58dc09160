import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ApolloServer, HeaderMap, type BaseContext } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';

/** Another team's subgraph: what is deployed, and with which of Keyward's keys. */
export const deploymentsSdl = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])

  type Query {
    deployments(ids: [ID!]!): [Deployment!]!
  }

  type Deployment @key(fields: "id") {
    id: ID!
    name: String!
    key: ApiKey
  }

  type ApiKey @key(fields: "id") {
    id: ID!
    deployments: [Deployment!]!
  }
`;

interface Deployment {
  readonly id: string;
  readonly name: string;
  readonly key: { readonly id: string };
}

/** The deployments subgraph on a socket. */
export interface DeploymentsSubgraph {
  readonly url: string;
  /** Notes that something was deployed with a key; its id. */
  deploy(name: string, keyId: string): string;
  stop(): Promise<void>;
}

/** Starts the deployments subgraph. */
export async function startDeployments(): Promise<DeploymentsSubgraph> {
  const deployments: Deployment[] = [];
  const apollo = new ApolloServer({
    schema: buildSubgraphSchema({
      typeDefs: parse(deploymentsSdl),
      resolvers: {
        Query: {
          deployments: (_source: unknown, { ids }: { ids: readonly string[] }) =>
            deployments.filter(({ id }) => ids.includes(id)),
        },
        ApiKey: {
          deployments: (key: { id: string }) =>
            deployments.filter((each) => each.key.id === key.id),
        },
      },
    }),
    plugins: [ApolloServerPluginInlineTraceDisabled()],
    stopOnTerminationSignals: false,
  });
  await apollo.start();
  const { url, stop } = await serve(apollo, async () => ({}));
  return {
    url,
    deploy(name, keyId) {
      const id = `deployment-${deployments.length}`;
      deployments.push({ id, name, key: { id: keyId } });
      return id;
    },
    stop,
  };
}

/** Serves a started Apollo Server over plain `node:http`, on a free port. */
export async function serve<Context extends BaseContext>(
  apollo: ApolloServer<Context>,
  contextOf: (headers: HeaderMap) => Promise<Context>,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const http = createServer((request, response) => {
    void (async () => {
      const headers = new HeaderMap();
      for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
      const answer = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: {
          method: request.method ?? '',
          headers,
          search: '',
          body: JSON.parse(await text(request)) as unknown,
        },
        context: () => contextOf(headers),
      });
      response.writeHead(answer.status ?? 200, Object.fromEntries(answer.headers));
      response.end(answer.body.kind === 'complete' ? answer.body.string : undefined);
    })();
  });
  const url = await listen(http);
  return {
    url,
    async stop() {
      await close(http);
      await apollo.stop();
    },
  };
}

/** Listens on a free port; the address of its GraphQL. */
export async function listen(http: Server): Promise<string> {
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo; // it listens on TCP
  return `http://127.0.0.1:${port}/graphql`;
}

/** Stops listening and hangs up on clients that keep their connections. */
export async function close(http: Server): Promise<void> {
  http.close();
  http.closeAllConnections();
  await once(http, 'close');
}
