import { startDatabaseServer } from '../app/database-server';
import type { Foundation } from '../app/foundation';
import type { Rooms } from '../app/rooms';
import { readConfig, type Config } from '../config';
import { createLogger } from '../kernel/logger';

/** What a command works with. */
export interface Workplace {
  readonly config: Config;
  readonly foundation: Foundation;
  readonly rooms: Rooms;
}

/** Runs a command on the database of the settings, and lets go of it afterwards. */
export async function withRooms<Result>(
  work: (place: Workplace) => Promise<Result>,
): Promise<Result> {
  const config = readConfig();
  const logger = createLogger(config.logLevel);
  // `keyward --help` shall not wait until everything is loaded, nor the database's start.
  const server = startDatabaseServer(config);
  server.catch(() => undefined); // openFoundation meets the error again
  const { openFoundation } = await import('../app/foundation.js');
  const { createRooms } = await import('../app/rooms.js');
  const foundation = await openFoundation(config, logger, server);
  const { database, peppers } = foundation;
  try {
    const rooms = createRooms({ database, peppers, product: config.product, logger });
    return await work({ config, foundation, rooms });
  } finally {
    await foundation.close();
  }
}

/** Prints a line on standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
