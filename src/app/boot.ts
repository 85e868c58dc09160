import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config';
import type { Logger } from '../kernel/logger';
import { startDatabaseServer } from './database-server';
import type { Keyward } from './keyward';

/** Long enough for a PostgreSQL that was started before; the first start takes seconds. */
const headStartMs = 300;

/**
 * Starts Keyward as `startKeyward` does, only that everything else is loaded after the embedded
 * PostgreSQL was begun: its first start goes on meanwhile, and a setting that cannot be used is
 * refused before that.
 * @throws SettingError or EmbeddedDatabaseError with one sentence for the operator
 */
export async function bootKeyward(config: Config, logger: Logger): Promise<Keyward> {
  const server = startDatabaseServer(config);
  // Loading lets nothing else run for half a second.
  await Promise.race([server, pause(headStartMs)]);
  const { startKeyward } = await import('./keyward.js');
  return startKeyward(config, logger, server);
}
