import { rm } from 'node:fs/promises';
import { withAdministrator } from './databases';

/** Drops the template and stops the embedded PostgreSQL, if the tests started it. */
export default async function tearDown(): Promise<void> {
  const server = globalThis.keywardTestServer;
  if (server === undefined) return;
  const { embedded, template } = server;
  const url = process.env.KEYWARD_TEST_SERVER ?? '';
  await withAdministrator(url, (client) => client.query(`DROP DATABASE IF EXISTS ${template}`));
  await embedded?.stop();
  if (embedded !== undefined) await rm(embedded.directory, { recursive: true, force: true });
}
