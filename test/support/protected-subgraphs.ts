import { createServer } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse, type GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { ClientRequest, KeywardContext } from '../../src/plugin/subgraph';
import { close, listen } from './deployments-subgraph';

/** A GraphQL server on a socket. */
export interface TestSubgraph {
  readonly url: string;
  stop(): Promise<void>;
}

type Context = (source: ClientRequest) => Promise<KeywardContext>;

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@authenticated", "@requiresScopes"])`;

/** Ayra's contacts, by scope. */
export const contactsSdl = `
  ${link}

  type Query {
    caller: String
    greeting: String
    contacts: [Contact!] @requiresScopes(scopes: [["contacts:read"]])
    members: String @authenticated
  }

  type Mutation {
    deleteContacts: Int @requiresScopes(scopes: [["contacts:write"]])
  }

  type Contact @key(fields: "id") {
    id: ID!
    name: String!
    phone: String @requiresScopes(scopes: [["contacts:read", "contacts:write"], ["conversations:read"]])
  }
`;

const contacts = [
  { id: '1', name: 'Ada', phone: '555-1' },
  { id: '2', name: 'Grace', phone: '555-2' },
];

/** The contacts' schema, without anything that enforces its directives. */
export function contactsSchema(): GraphQLSchema {
  return buildSubgraphSchema({
    typeDefs: parse(contactsSdl),
    resolvers: {
      Query: {
        caller: (_source: unknown, _args: unknown, context: unknown) => {
          const { apiKey, organization, environment, scopes } = context as KeywardContext;
          return JSON.stringify({ apiKey, organization, environment, scopes });
        },
        greeting: () => 'hello',
        contacts: () => contacts,
        members: () => 'welcome',
      },
      Mutation: { deleteContacts: () => contacts.length },
      Contact: {
        __resolveReference: ({ id }: { id: string }) => contacts.find((each) => each.id === id),
      },
    },
  });
}

/** Another team's: agents, and what they noted about contacts. */
export const agentsSdl = `
  ${link}

  type Query {
    agents: [Agent!] @requiresScopes(scopes: [["agents:read"]])
  }

  type Agent {
    name: String!
  }

  type Contact @key(fields: "id") {
    id: ID!
    agents: [Agent!] @requiresScopes(scopes: [["agents:read"]])
    note: String
  }
`;

const agents = [{ name: 'Smith' }, { name: 'Jones' }];

/** The agents' schema, without anything that enforces its directives. */
export function agentsSchema(): GraphQLSchema {
  return buildSubgraphSchema({
    typeDefs: parse(agentsSdl),
    resolvers: {
      Query: { agents: () => agents },
      Contact: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        agents: () => agents,
        note: ({ id }: { id: string }) => `note ${id}`,
      },
    },
  });
}

/** A third team's, which leaves all enforcement to the gateway. */
export const vaultsSdl = `
  ${link}

  scalar Money @requiresScopes(scopes: [["analytics:read"]])

  type Query {
    vaults: [Vault!]!
    things(limit: Int): [Thing!]
  }

  type Subscription {
    ticks: Tick
    alarms: Int @requiresScopes(scopes: [["conversations:write"]])
  }

  interface Thing {
    id: ID!
    label(in: String): String
  }

  type Vault implements Thing {
    id: ID!
    label(in: String): String @requiresScopes(scopes: [["conversations:write"]])
    code: Int! @requiresScopes(scopes: [["conversations:write"]])
    content: Money
  }

  type Chair implements Thing {
    id: ID!
    label(in: String): String
  }

  type Tick {
    number: Int
    code: Int @requiresScopes(scopes: [["conversations:write"]])
  }
`;

const label = (_source: unknown, { in: language }: { in?: string }): string => `in ${language}`;
const vaults = [{ __typename: 'Vault', id: 'v', code: 1234, content: 100 }];

/** The vaults' schema, without anything that enforces its directives. */
export function vaultsSchema(): GraphQLSchema {
  const numbers = async function* (): AsyncGenerator<number> {
    yield* [1, 2];
  };
  return buildSubgraphSchema({
    typeDefs: parse(vaultsSdl),
    resolvers: {
      Query: { vaults: () => vaults, things: () => [...vaults, { __typename: 'Chair', id: 'c' }] },
      Subscription: {
        ticks: { subscribe: numbers, resolve: (number: number) => ({ number, code: 1234 }) },
        alarms: { subscribe: numbers, resolve: (number: number) => number },
      },
      Vault: { label },
      Chair: { label },
    },
  });
}

/** Serves a schema with Apollo Server. */
export async function startOnApollo(
  schema: GraphQLSchema,
  context: Context,
): Promise<TestSubgraph> {
  const apollo = new ApolloServer<KeywardContext>({
    schema,
    plugins: [ApolloServerPluginInlineTraceDisabled()],
    stopOnTerminationSignals: false,
  });
  const { url } = await startStandaloneServer(apollo, {
    listen: { host: '127.0.0.1', port: 0 },
    context,
  });
  return { url: new URL('/graphql', url).href, stop: async () => apollo.stop() };
}

/** Serves a schema with GraphQL Yoga. */
export async function startOnYoga(schema: GraphQLSchema, context?: Context): Promise<TestSubgraph> {
  const yoga = createYoga({ schema, logging: false, ...(context && { context }) });
  const http = createServer((request, response) => void yoga(request, response));
  return { url: await listen(http), stop: async () => close(http) };
}
