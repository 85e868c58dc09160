import { entities } from '../../src/app/rooms';
import { readConfig } from '../../src/config';
import { migrate } from '../../src/database/migrate';
import { migrations } from '../../src/database/migrations/list';
import { openDatabase } from '../../src/database/open-database';
import { createLogger } from '../../src/kernel/logger';
import { created, revokeApiKey, tryKey } from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { withRooms } from '../support/organizations';
import { unknownKey, verifyApiKey } from '../support/verifications';

let keyward: TestKeyward;
beforeEach(async () => {
  keyward = await startTestKeyward();
});
afterEach(async () => keyward.stop());

const options = () => {
  const { url } = keyward.database;
  return { url, settings: readConfig({}).database, entities, logger: createLogger('silent') };
};

/** Undoes migrations, the newest first. */
async function undo(count: number): Promise<void> {
  const database = await openDatabase(options());
  try {
    for (let done = 0; done < count; done += 1) await database.dataSource.undoLastMigration();
  } finally {
    await database.close();
  }
}

/** Everything but the days' partitions, which are made when Keyward starts. */
async function schemaOf(): Promise<unknown[]> {
  const statements = [
    `SELECT table_name AS of, column_name, data_type, is_nullable, column_default
     FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`,
    `SELECT tablename AS of, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2`,
    `SELECT conrelid::regclass::text AS of, conname, pg_get_constraintdef(oid)
     FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2`,
    `SELECT tgrelid::regclass::text AS of, pg_get_triggerdef(oid) FROM pg_trigger
     WHERE NOT tgisinternal ORDER BY 1, 2`,
    `SELECT proname AS of, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1`,
  ];
  const parts: unknown[] = [];
  for (const statement of statements) {
    const rows = await keyward.database.sql<{ of: string }>(statement);
    parts.push(rows.filter(({ of }) => !/_\d{8}$/.test(of)));
  }
  return parts;
}

/** A key in rotation that was used, a revoked one, an imported one, and the trace of no key. */
async function leaveData(): Promise<{ readonly live: string; readonly revoked: string }> {
  const live = await created(keyward);
  const revoked = await created(keyward);
  await tryKey(keyward, live.secret);
  await keyward.ask('mutation ($id: ID!) { rotateApiKey(input: { id: $id }) { secret } }', {
    id: live.apiKey.id,
  });
  await revokeApiKey(keyward, { id: revoked.apiKey.id });
  await verifyApiKey(keyward, { key: unknownKey() });
  await keyward.database.sql(`INSERT INTO api_key_imports VALUES ($1, sha256('digest'))`, [
    revoked.apiKey.id,
  ]);
  return { live: live.secret, revoked: revoked.secret };
}

async function kept(): Promise<unknown> {
  const [counts] = await keyward.database.sql(
    `SELECT (SELECT count(*) FROM api_keys) AS keys,
       (SELECT count(*) FROM audit_events) AS events,
       (SELECT count(*) FROM api_key_requests WHERE api_key_id IS NOT NULL) AS records,
       (SELECT sum(requests) FROM api_key_usage_hours
        WHERE api_key_id <> '00000000-0000-0000-0000-000000000000') AS counted`,
  );
  return counts;
}

test('every migration can be undone on a database with data, and done again', async () => {
  await leaveData();
  const before = await schemaOf();
  await undo(migrations.length);
  const left = await keyward.database.sql(
    `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`,
  );
  expect(left).toEqual([{ relname: 'keyward_migrations' }]);
  expect(await migrate(options())).toHaveLength(migrations.length);
  expect(await schemaOf()).toEqual(before);
});

test('a database of before verifications is brought up to date by one of two processes, and nothing of it is lost', async () => {
  const { live, revoked } = await leaveData();
  const before = await kept();
  await undo(3);
  const ran = await Promise.all([migrate(options()), migrate(options())]);
  expect(ran.map((names) => names.length).sort()).toEqual([0, 3]);
  expect(await kept()).toEqual(before);
  await keyward.startReplica();
  expect(await tryKey(keyward, live)).toBe('VALID');
  expect(await tryKey(keyward, revoked)).toBe('REVOKED');
  await withRooms(keyward, async ({ audit }) => {
    for await (const { brokenAt } of audit.prove()) expect(brokenAt).toBeUndefined();
  });
});
