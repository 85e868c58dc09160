import { patience, type TestDatabase } from './databases';
import { graphql } from './http';
import type { TestKeyward } from './keyward';
import { serve, testDatabase, type Server, type Settings } from './process';

/** Two processes of Keyward on one database. */
export interface Replicas {
  readonly database: TestDatabase;
  /** With which a third one, or a command, works beside them. */
  readonly settings: Settings;
  readonly servers: [Server, Server];
  /** A key with full access. */
  readonly adminKey: string;
  /** How to ask the first (even turns) or the second (odd ones), as the admin unless told. */
  at(turn: number): TestKeyward['ask'];
  /** `kill -9` of the one whose turn it is, and another in its place. */
  restart(turn: number): Promise<void>;
}

/** Starts them; they end with the test file. */
export async function startReplicas(): Promise<Replicas> {
  const database = await testDatabase();
  const settings = {
    DATABASE_URL: database.url,
    KEYWARD_PEPPERS: 'a pepper of thirty-two characters and more',
    ...patience,
  };
  const first = await serve(settings);
  const servers: [Server, Server] = [first, await serve(settings)];
  const adminKey = first.adminKey ?? '';
  const half = (turn: number): 0 | 1 => (turn % 2 === 0 ? 0 : 1);
  return {
    database,
    settings,
    servers,
    adminKey,
    at(turn) {
      const { url } = servers[half(turn)];
      return async (query, variables, asked) =>
        graphql(url, { query, variables }, { key: adminKey, ...asked });
    },
    async restart(turn) {
      await servers[half(turn)].kill();
      servers[half(turn)] = await serve(settings);
    },
  };
}
