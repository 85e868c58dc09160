import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { entities } from '../src/app/rooms';
import { readConfig, toPepper } from '../src/config';
import { startEmbeddedDatabase } from '../src/database/embedded';
import { migrate } from '../src/database/migrate';
import { createLogger } from '../src/kernel/logger';
import { KeyDigester } from '../src/keys/key-digest';
import { mintKey } from '../src/keys/key-secret';

/** The pepper of every key in the comparison. */
export const benchPepper = toPepper(randomBytes(32).toString('base64'));

/** The most secrets of one database that are known, and so can be presented. */
const maxKnown = 10_000;

/** A PostgreSQL of the comparison's own, with fsync and synchronous commits as in production. */
export interface BenchServer {
  readonly version: string;
  /** Makes an empty database; its URL. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts the embedded PostgreSQL in a folder that `stop` deletes. */
export async function startServer(): Promise<BenchServer> {
  const directory = await mkdtemp(join(tmpdir(), 'keyward-bench-'));
  const embedded = await startEmbeddedDatabase({ directory });
  const rows = await query<{ server_version: string }>(embedded.url, 'SHOW server_version');
  return {
    version: rows[0]?.server_version ?? '',
    async createDatabase(name) {
      await query(embedded.url, `CREATE DATABASE ${name}`);
      const url = new URL(embedded.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    async stop() {
      await embedded.stop();
      for (const folder of [embedded.directory, directory]) {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Runs SQL on a connection of its own. */
async function query<Row>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows as Row[]; // the caller knows its own SQL
  } finally {
    await client.end();
  }
}

/** A migrated database full of keys. */
export interface KeyDatabase {
  readonly url: string;
  readonly keys: number;
  /** Keys that can be presented: of up to 10,000 rows evenly spread over the table. */
  readonly secrets: readonly string[];
}

/** Migrates a database and fills it with keys of one organization, all active. */
export async function seedKeys(url: string, keys: number): Promise<KeyDatabase> {
  const settings = readConfig({}).database;
  await migrate({ url, settings, entities, logger: createLogger('silent') });
  const known = Math.min(keys, maxKnown);
  const digester = new KeyDigester([benchPepper]);
  const format = { prefix: 'sk', showEnvironment: true };
  const secrets = Array.from({ length: known }, () => mintKey(format, 'LIVE').secret);
  const digests = secrets.map((secret) => digester.current(secret).digest);
  const [organization] = await query<{ id: string }>(
    url,
    `INSERT INTO organizations VALUES (gen_random_uuid(), 'bench', 'Bench', 'FREE', now())
     RETURNING id`,
  );
  await query(url, insertKeys, [organization?.id, keys, keys / known, digests, benchPepper.id]);
  await query(
    url,
    `INSERT INTO api_key_last_uses (api_key_id, organization_id)
     SELECT id, organization_id FROM api_keys`,
  );
  await query(url, 'VACUUM ANALYZE');
  return { url, keys, secrets };
}

// Every n-th row has the digest of a known secret; the others, that of nothing anybody has.
const insertKeys = `
  INSERT INTO api_keys (id, organization_id, name, environment, prefix, redacted, scopes, digest,
    pepper_id, created_at, created_by_kind, created_by_name, tags, metadata)
  SELECT gen_random_uuid(), $1, 'Key ' || n, 'LIVE', 'sk_live_abc123', 'sk_live_abc123...WXYZ',
    ARRAY['contacts:read', 'conversations:read'],
    coalesce(CASE WHEN n % $3 = 0 THEN ($4::bytea[])[n / $3] END,
             sha256(convert_to('unknown key ' || n, 'UTF8'))),
    $5, now() - n * interval '1 second', 'SYSTEM', 'Bench', ARRAY[]::text[], '{}'
  FROM generate_series(1, $2::int) AS n`;

/** A stand-in for randomness that is the same in every run: a number below `below` for each index. */
export function scattered(index: number, below: number): number {
  return createHash('md5').update(String(index)).digest().readUInt32LE() % below;
}
