import { startKeyward } from '../app/keyward';
import { readConfig } from '../config';
import { createLogger } from '../kernel/logger';
import { failWith } from './failure';

/** Starts Keyward, says where it is, and runs until SIGTERM or SIGINT; then exits with 0. */
export async function serve(): Promise<void> {
  try {
    const config = readConfig();
    const logger = createLogger(config.logLevel);
    const keyward = await startKeyward(config, logger);
    const lines = [
      `Keyward is ready: ${keyward.graphqlUrl}`,
      `Database: ${keyward.databaseDescription}`,
    ];
    if (keyward.adminKey !== undefined) {
      lines.push('Admin key with full access, shown only this once:', keyward.adminKey);
    }
    process.stdout.write(`${lines.join('\n')}\n`);
    stopOnSignal(async () => keyward.stop());
  } catch (error) {
    failWith(error);
  }
}

function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1); // asked twice: do not wait any longer
      stopping = true;
      stop().then(() => process.exit(0), failWith);
    });
  }
}
