import { EventEmitter, once } from 'node:events';
import type { Config } from '../config';
import type { Logger } from '../kernel/logger';
import { startDatabaseServer } from './database-server';
import type { Keyward } from './keyward';

/**
 * Starts Keyward as `startKeyward` does, only that everything else is loaded after the embedded
 * PostgreSQL was begun: that goes on meanwhile, and a setting that cannot be used is refused before.
 * @throws SettingError or EmbeddedDatabaseError with one sentence for the operator
 */
export async function bootKeyward(config: Config, logger: Logger): Promise<Keyward> {
  const postgres = new EventEmitter();
  const server = startDatabaseServer(config, () => postgres.emit('begun'));
  // Loading lets nothing else of this process run for half a second.
  await Promise.race([server, once(postgres, 'begun')]);
  const { startKeyward } = await import('./keyward.js');
  return startKeyward(config, logger, server);
}
