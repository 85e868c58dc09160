import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entities } from '../../src/app/rooms';
import { readConfig } from '../../src/config';
import { startEmbeddedDatabase, type EmbeddedDatabase } from '../../src/database/embedded';
import { migrate } from '../../src/database/migrate';
import { createLogger } from '../../src/kernel/logger';
import { withAdministrator } from './databases';

declare global {
  // Shared with global-teardown.ts, which runs in the same process.
  var keywardTestServer: { embedded: EmbeddedDatabase | undefined; template: string } | undefined;
}

/**
 * Starts PostgreSQL (the embedded one unless DATABASE_URL is set) and makes a migrated template
 * database, which every test file clones for itself.
 */
export default async function setUp(): Promise<void> {
  const given = process.env.DATABASE_URL;
  const embedded = given === undefined ? await startServer() : undefined;
  const server = embedded?.url ?? given ?? '';
  const template = `keyward_test_${randomBytes(6).toString('hex')}`;
  await withAdministrator(server, (client) => client.query(`CREATE DATABASE ${template}`));
  const url = new URL(server);
  url.pathname = `/${template}`;
  const settings = readConfig({}).database;
  await migrate({ url: url.href, settings, entities, logger: createLogger('silent') });
  globalThis.keywardTestServer = { embedded, template };
  process.env.KEYWARD_TEST_SERVER = server;
  process.env.KEYWARD_TEST_TEMPLATE = template;
}

async function startServer(): Promise<EmbeddedDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'keyward-test-'));
  await chmod(directory, 0o755); // as root, the user that runs PostgreSQL has to enter it
  return startEmbeddedDatabase({ directory });
}
