import { randomUUID } from 'node:crypto';
import { openFoundation } from '../../src/app/foundation';
import { createRooms, type Rooms } from '../../src/app/rooms';
import { readConfig } from '../../src/config';
import type { Database } from '../../src/database/database';
import { createLogger } from '../../src/kernel/logger';
import type { OrganizationId } from '../../src/kernel/ids';
import type { TestDatabase } from './databases';
import { testPepper } from './keyward';

/** What a command sees of a test database: its connections, and the rooms on it. */
export interface Place {
  readonly database: Database;
  readonly rooms: Rooms;
}

/** Runs work on the rooms of a test database, past HTTP, as the command line does. */
export async function inRooms<Result>(
  { url }: TestDatabase,
  work: (place: Place) => Promise<Result>,
  settings: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const config = readConfig({ DATABASE_URL: url, KEYWARD_PEPPERS: testPepper, ...settings });
  const logger = createLogger('silent');
  const foundation = await openFoundation(config, logger);
  const { database, peppers } = foundation;
  try {
    const rooms = createRooms({ database, peppers, product: config.product, logger });
    return await work({ database, rooms });
  } finally {
    await foundation.close();
  }
}

/** An organization and a key of full access in it. */
export interface TestOrganization {
  readonly id: OrganizationId;
  readonly name: string;
  readonly adminKey: string;
  readonly adminKeyId: string;
}

/** Adds an organization to a test database, with a key of full access. */
export async function addOrganization(
  database: TestDatabase,
  name: string,
): Promise<TestOrganization> {
  return inRooms(database, async ({ rooms: { organizations, creation } }) => {
    const { id } = await organizations.create({ name }, randomUUID());
    const { apiKey, secret } = await creation.create(organizations.systemCaller(id, randomUUID()), {
      name: `Admin key of ${name}`,
      scopes: ['admin:full'],
    });
    return { id, name, adminKey: String(secret), adminKeyId: apiKey.id };
  });
}
