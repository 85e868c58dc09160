// Agents, with GraphQL Yoga. This service notes which key created an agent: an agent shows the key,
// and a key the agents.
import { randomUUID } from 'node:crypto';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { enforceScopes, keywardContext } from 'keyward';
import { listen } from './listen.mjs';

const typeDefs = parse(`
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])

  type Query {
    "The agents of the caller's organization."
    agents: [Agent!] @requiresScopes(scopes: [["agents:read"]])
  }

  type Mutation {
    "Creates an agent in the caller's organization."
    createAgent(name: String!): Agent @requiresScopes(scopes: [["agents:write"]])
  }

  "An assistant that talks to an organization's contacts."
  type Agent {
    id: ID!
    name: String!
    "The key it was created with; Keyward decides who may see it."
    createdWith: ApiKey
  }

  "A key is Keyward's; this service adds what was created with it."
  type ApiKey @key(fields: "id") {
    id: ID!
    agents: [Agent!] @requiresScopes(scopes: [["agents:read"]])
  }
`);

const agents = [];

const resolvers = {
  Query: {
    agents: (_query, _arguments, { organization }) =>
      agents.filter((agent) => agent.organizationId === organization.id),
  },
  Mutation: {
    createAgent(_mutation, { name }, { organization, apiKey }) {
      const agent = {
        id: randomUUID(),
        name,
        organizationId: organization.id,
        createdWith: apiKey,
      };
      agents.push(agent);
      return agent;
    },
  },
  ApiKey: {
    agents: ({ id }, _arguments, { organization }) =>
      agents.filter(
        (agent) => agent.createdWith.id === id && agent.organizationId === organization.id,
      ),
  },
};

/** Starts the service on a free port; its URL. */
export async function startAgents(keyward) {
  const schema = enforceScopes(buildSubgraphSchema({ typeDefs, resolvers }));
  const context = keywardContext({ ...keyward, service: 'agents' });
  return listen(createYoga({ schema, context, logging: false }));
}
