import type { GraphQLSchema } from 'graphql';
import { createSchema } from 'graphql-yoga';
import { useKeyward } from '../../src/plugin/hive-gateway';
import { enforceScopes, keywardContext, type KeywardOptions } from '../../src/plugin/subgraph';
import { revokeApiKey } from '../support/api-keys';
import { eventsOf } from '../support/event-stream';
import { startHiveGateway } from '../support/hive-gateway';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { startOnYoga } from '../support/protected-subgraphs';
import { compose } from '../support/supergraph';

let keyward: TestKeyward;
let options: KeywardOptions;
beforeAll(async () => {
  keyward = await startTestKeyward();
  const { secret: key } = await keyward.createKey({ scopes: ['api_keys:verify'] });
  options = { url: keyward.url, key, service: 'doors', deadlineMs: 10_000 };
});
afterAll(async () => keyward.stop());

const sdl = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated"])
  type Query { member: Int @authenticated }
  type Subscription { doors: Int }`;

/** A schema whose subscription tells of one door, and of another when it is opened. */
function doorsSchema(opened: Promise<void>): GraphQLSchema {
  const doors = async function* (): AsyncGenerator<number> {
    yield 1;
    await opened;
    yield 2;
  };
  const definitions = `
    directive @authenticated on FIELD_DEFINITION
    directive @link(url: String!, import: [String!]) repeatable on SCHEMA
    schema { query: Query subscription: Subscription }`;
  return createSchema({
    typeDefs: definitions + sdl,
    resolvers: { Subscription: { doors: { subscribe: doors, resolve: (door: number) => door } } },
  });
}

/** What comes of the second event when the key was revoked after the first. */
async function secondEvent(url: string, openDoor: () => void): Promise<unknown> {
  const { id, secret } = await keyward.createKey();
  const events = eventsOf(url, 'subscription { doors }', secret);
  expect((await events.next()).value).toEqual({ data: { doors: 1 } });
  await revokeApiKey(keyward, { id });
  openDoor();
  const second = await events.next();
  await events.return();
  return second.value;
}

const revoked = { extensions: { code: 'UNAUTHENTICATED', reason: 'REVOKED' } };

test('a subgraph tells a key that was revoked meanwhile of no event', async () => {
  let openDoor = (): void => undefined;
  const schema = doorsSchema(new Promise((resolve) => (openDoor = resolve)));
  const identify = keywardContext(options);
  const subgraph = await startOnYoga(enforceScopes(schema), async (request) => ({
    ...(await identify(request)), // as services do that have more to put there
  }));
  expect(await secondEvent(subgraph.url, openDoor)).toMatchObject({
    data: { doors: null },
    errors: [{ path: ['doors'], ...revoked }],
  });
  await subgraph.stop();
});

test('Hive Gateway tells a key that was revoked meanwhile of no event', async () => {
  let openDoor = (): void => undefined;
  const schema = doorsSchema(new Promise((resolve) => (openDoor = resolve)));
  const subgraph = await startOnYoga(schema);
  const supergraphSdl = compose([{ name: 'doors', url: subgraph.url, sdl }]);
  const gateway = await startHiveGateway(supergraphSdl, useKeyward(options));
  expect(await secondEvent(gateway.url, openDoor)).toMatchObject({ data: null, errors: [revoked] });
  await gateway.stop();
  await subgraph.stop();
});
