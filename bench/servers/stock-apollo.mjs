// Stock Apollo Server on fastify, as its integration's README has it: no authentication, no usage.
import { ApolloServer } from '@apollo/server';
import fastifyApollo, { fastifyApolloDrainPlugin } from '@as-integrations/fastify';
import fastify from 'fastify';

const typeDefs = `#graphql
  enum ViewerKind { ANONYMOUS API_KEY USER }
  type Viewer { kind: ViewerKind! scopes: [String!]! }
  type Query { viewer: Viewer! }
`;
const resolvers = {
  Query: {
    viewer: () => ({ kind: 'API_KEY', scopes: ['contacts:read', 'conversations:read'] }),
  },
};

const app = fastify();
const apollo = new ApolloServer({
  typeDefs,
  resolvers,
  plugins: [fastifyApolloDrainPlugin(app)],
});
await apollo.start();
await app.register(fastifyApollo(apollo));
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.on('SIGTERM', () => process.exit(0));
process.send({ url: `${url}/graphql` });
