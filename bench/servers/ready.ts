import { readConfig, type Config } from '../../src/config';

/** Tells the process that started this one where the server is. */
export function tellUrl(url: string): void {
  process.send?.({ url });
}

/** The settings of a Keyward on the comparison's database, on any free port. */
export function benchConfig(): Config {
  return readConfig({
    PORT: '0',
    KEYWARD_HOST: '127.0.0.1',
    KEYWARD_LOG_LEVEL: 'error',
    DATABASE_URL: process.env.DATABASE_URL,
    KEYWARD_PEPPERS: process.env.KEYWARD_PEPPERS,
  });
}
