// Contacts, with Apollo Server. Another team owns this service: of keys it knows only what Keyward's
// plugin tells it, and it says what its fields need with the directives that Keyward uses.
import { randomUUID } from 'node:crypto';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { enforceScopes, keywardContext } from 'keyward';

const typeDefs = parse(`
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])

  type Query {
    "The contacts of the caller's organization."
    contacts: [Contact!] @requiresScopes(scopes: [["contacts:read"]])
  }

  type Mutation {
    "Adds a contact to the caller's organization."
    createContact(name: String!, email: String!): Contact
      @requiresScopes(scopes: [["contacts:write"]])
  }

  "Somebody whom an organization knows."
  type Contact {
    id: ID!
    name: String!
    email: String!
  }

  "An organization is Keyward's; this service adds its contacts to it."
  type Organization @key(fields: "id") {
    id: ID!
    contacts: [Contact!] @requiresScopes(scopes: [["contacts:read"]])
  }
`);

/** The contacts of each organization, by its id; everybody knows two to begin with. */
const contacts = new Map();

function contactsOf(organizationId) {
  if (!contacts.has(organizationId)) {
    contacts.set(organizationId, [
      { id: randomUUID(), name: 'Ada Lovelace', email: 'ada@example.com' },
      { id: randomUUID(), name: 'Grace Hopper', email: 'grace@example.com' },
    ]);
  }
  return contacts.get(organizationId);
}

const resolvers = {
  Query: {
    contacts: (_query, _arguments, { organization }) => contactsOf(organization.id),
  },
  Mutation: {
    createContact(_mutation, { name, email }, { organization }) {
      const contact = { id: randomUUID(), name, email };
      contactsOf(organization.id).push(contact);
      return contact;
    },
  },
  Organization: {
    // Whichever organization a query points at, callers read their own.
    contacts: ({ id }, _arguments, { organization }) =>
      id === organization.id ? contactsOf(id) : null,
  },
};

/** Starts the service on a free port; its URL. */
export async function startContacts(keyward) {
  const schema = enforceScopes(buildSubgraphSchema({ typeDefs, resolvers }));
  const plugins = [ApolloServerPluginInlineTraceDisabled()];
  const { url } = await startStandaloneServer(new ApolloServer({ schema, plugins }), {
    listen: { port: 0 },
    context: keywardContext({ ...keyward, service: 'contacts' }),
  });
  return url;
}
