import 'reflect-metadata';
import { startKeyward } from '../../src/app/keyward';
import { createLogger } from '../../src/kernel/logger';
import { benchConfig, tellUrl } from './ready';

/** Keyward as it is served. */
async function main(): Promise<void> {
  const { graphqlUrl, stop } = await startKeyward(benchConfig(), createLogger('error'));
  process.on('SIGTERM', () => void stop().then(() => process.exit(0)));
  tellUrl(graphqlUrl.replace('localhost', '127.0.0.1'));
}

void main();
