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
    phone: String @requiresScopes(scopes: [["contacts:read", "contacts:write"], ["calls:read"]])
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
