import { entities, createRooms, type Rooms } from '../../src/app/rooms';
import { readConfig } from '../../src/config';
import type { Database } from '../../src/database/database';
import { openDatabase } from '../../src/database/open-database';
import { newUuid } from '../../src/kernel/ids';
import { createLogger } from '../../src/kernel/logger';
import { patience } from './databases';
import { testPepper, type TestKeyward } from './keyward';

/** An organization beside `default`. */
export interface TestOrganization {
  readonly id: string;
  /** Creates a key in it; its id and secret. */
  createKey(input?: {
    readonly name?: string;
    readonly scopes?: readonly string[];
  }): Promise<{ id: string; secret: string }>;
}

/** Creates an organization the way the command line does. */
export async function createOrganization(
  keyward: Pick<TestKeyward, 'database'>,
  name: string,
): Promise<TestOrganization> {
  const { id } = await withRooms(keyward, (rooms) =>
    rooms.organizations.create({ name }, newUuid()),
  );
  return {
    id,
    async createKey(input) {
      const settings = { name: 'A key elsewhere', scopes: ['admin:full'], ...input };
      const { apiKey, secret } = await withRooms(keyward, async (rooms) =>
        rooms.creation.create(rooms.organizations.systemCaller(id, newUuid()), {
          ...settings,
          scopes: [...settings.scopes],
        }),
      );
      return { id: apiKey.id, secret: secret ?? '' };
    },
  };
}

/** Runs work on the rooms of a test database, past HTTP, as the command line does. */
export async function withRooms<Result>(
  { database: { url } }: Pick<TestKeyward, 'database'>,
  work: (rooms: Rooms, database: Database) => Promise<Result>,
  settings: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const environment = { DATABASE_URL: url, KEYWARD_PEPPERS: testPepper, ...patience, ...settings };
  const config = readConfig(environment);
  const { product, peppers } = config;
  const logger = createLogger('silent');
  const database = await openDatabase({ url, settings: config.database, entities, logger });
  try {
    return await work(createRooms({ database, product, peppers, logger }), database);
  } finally {
    await database.close();
  }
}
