import { randomBytes } from 'node:crypto';
import { startKeyward, type Keyward } from '../../src/app/keyward';
import { readConfig } from '../../src/config';
import { createLogger, type Logger } from '../../src/kernel/logger';
import { cloneDatabase, patience, type TestDatabase } from './databases';
import { graphql, type Answer, type Asked } from './http';

/** The pepper of all test servers, so that two on one database agree. */
export const testPepper = randomBytes(32).toString('base64');

/** A Keyward in this process, over a real socket, on a database of its own. */
export interface TestKeyward {
  readonly url: string;
  /** Where metrics are, if they have a port of their own. */
  readonly metricsUrl: string | undefined;
  readonly database: TestDatabase;
  /** A key with full access in the organization `default`. */
  readonly adminKey: string;
  /** Sends a GraphQL request over HTTP, as the admin unless another key (or null: none) is given. */
  ask<Data = Record<string, unknown>>(
    query: string,
    variables?: Record<string, unknown>,
    asked?: Asked,
  ): Promise<Answer<Data>>;
  /** Creates a key as the admin; its id and secret. */
  createKey(input?: Record<string, unknown>): Promise<{ id: string; secret: string }>;
  /** Another Keyward process's stand-in: a second server on the same database. */
  startReplica(settings?: Settings): Promise<Keyward>;
  stop(): Promise<void>;
}

type Settings = Readonly<Record<string, string>>;

/** Starts a Keyward for one test file; stop it in `afterAll`. */
export async function startTestKeyward(
  settings: Settings = {},
  logger: Logger = createLogger('silent'),
): Promise<TestKeyward> {
  const database = await cloneDatabase();
  const keyward = await start(database, settings, logger);
  const { adminKey } = keyward;
  if (adminKey === undefined) throw new Error('a cloned database starts for the first time');
  const replicas: Keyward[] = [];
  const ask: TestKeyward['ask'] = async (query, variables, asked = {}) =>
    graphql(keyward.graphqlUrl, { query, variables }, { key: adminKey, ...asked });
  return {
    url: keyward.graphqlUrl,
    metricsUrl: keyward.metricsUrl,
    database,
    adminKey,
    ask,
    async createKey(input) {
      const { data } = await ask<{ createApiKey: { apiKey: { id: string }; secret: string } }>(
        `mutation ($input: CreateApiKeyInput!) {
           createApiKey(input: $input) { apiKey { id } secret } }`,
        { input: { name: 'Some integration', scopes: ['contacts:read'], ...input } },
      );
      const { apiKey, secret } = data.createApiKey;
      return { id: apiKey.id, secret };
    },
    async startReplica(more = {}) {
      const replica = await start(database, { ...settings, ...more }, logger);
      replicas.push(replica);
      return replica;
    },
    async stop() {
      for (const each of [...replicas, keyward]) await each.stop();
      await database.drop();
    },
  };
}

async function start(database: TestDatabase, settings: Settings, logger: Logger): Promise<Keyward> {
  const environment = {
    PORT: '0',
    KEYWARD_HOST: '127.0.0.1',
    DATABASE_URL: database.url,
    KEYWARD_PEPPERS: testPepper,
    ...patience,
    ...settings,
  };
  return startKeyward(readConfig(environment), logger);
}
