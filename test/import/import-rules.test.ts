import { createHash } from 'node:crypto';
import { acceptingImports, importRows, oldKey } from '../support/imports';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization, withRooms } from '../support/organizations';

const settings = acceptingImports();
let keyward: TestKeyward;
beforeEach(async () => {
  keyward = await startTestKeyward(settings);
});
afterEach(async () => keyward.stop());

type Row = Readonly<Record<string, unknown>>;

function row(more: Row = {}): Row {
  return { digest: oldKey().digest, name: 'Old key', scopes: ['contacts:read'], ...more };
}

/** Everything an import could change. */
async function counts(): Promise<unknown> {
  return keyward.database.sql(
    `SELECT (SELECT count(*)::int FROM api_keys) AS keys,
       (SELECT count(*)::int FROM api_key_imports) AS imports,
       (SELECT count(*)::int FROM api_key_last_uses) AS uses,
       (SELECT count(*)::int FROM audit_events) AS events`,
  );
}

test('every setting of a row is on the key, and its import in the audit trail', async () => {
  const given = row({
    name: '  Mobile app  ',
    description: 'Ключ 🔑',
    environment: 'TEST',
    scopes: ['agents:read', 'contacts:read', 'agents:read'],
    expiresAt: '2100-01-01T00:00:00.500Z',
    createdAt: '2021-05-05T05:05:05Z',
    owner: 'Jane Roe',
    application: 'iOS',
    usageLocation: 'App Store',
    tags: ['mobile'],
    metadata: { ticket: { id: 7 } },
    prefix: 'mob_7f',
    lastFour: 'q0-Z',
  });
  const [result] = await importRows(keyward, [given], settings);
  if (result?.result !== 'imported') throw new Error(JSON.stringify(result));
  const { id } = result.apiKey;
  expect(result).toEqual({
    row: 1,
    result: 'imported',
    apiKey: { id, name: 'Mobile app', redacted: 'mob_7f...q0-Z' },
  });
  const { data } = await keyward.ask(
    `query ($id: ID!) {
       apiKey(id: $id) {
         name description environment scopes expiresAt createdAt owner application usageLocation
         tags metadata prefix redacted status lastUsedAt createdBy { displayName }
         auditEvents { nodes { action requestId actor { displayName } changes } } } }`,
    { id },
  );
  const set = {
    name: 'Mobile app',
    description: 'Ключ 🔑',
    environment: 'TEST',
    scopes: ['agents:read', 'contacts:read'],
    expiresAt: '2100-01-01T00:00:00.500Z',
    createdAt: '2021-05-05T05:05:05.000Z',
    owner: 'Jane Roe',
    application: 'iOS',
    usageLocation: 'App Store',
    tags: ['mobile'],
    metadata: { ticket: { id: 7 } },
    redacted: 'mob_7f...q0-Z',
  };
  const changes = Object.entries(set).map(([member, to]) => [member, { from: null, to }]);
  expect(data.apiKey).toEqual({
    ...set,
    ...{ prefix: 'mob_7f', status: 'ACTIVE', lastUsedAt: null },
    createdBy: { displayName: 'System' },
    auditEvents: {
      nodes: [
        {
          action: 'api_key.imported',
          requestId: 'import-request',
          actor: { displayName: 'System' },
          changes: Object.fromEntries(changes) as unknown,
        },
      ],
    },
  });
});

const digest = oldKey().digest;
const bad: readonly [string, unknown, RegExp][] = [
  ['no object', 'a text', /^must be an object/],
  ['an array', [], /^must be an object/],
  ['null', null, /^must be an object/],
  ['no digest', { name: 'x', scopes: ['agents:read'] }, /^digest must be/],
  ['a short digest', row({ digest: 'abc' }), /^digest must be a SHA-256 in hexadecimal or/],
  ['a digest of other digits', row({ digest: 'g'.repeat(64) }), /^digest must be/],
  ['a digest with loose ends', row({ digest: `${'A'.repeat(42)}B` }), /^digest must be/],
  ['a number as digest', row({ digest: 7 }), /^digest must be a text/],
  ['no name', { digest, scopes: ['agents:read'] }, /^name must be a text/],
  ['an empty name', row({ name: '   ' }), /^name must not be empty/],
  ['a long name', row({ name: 'x'.repeat(101) }), /^name must be at most 100/],
  ['a control character', row({ description: 'a\u0007b' }), /^description must not hold control/],
  ['an unknown scope', row({ scopes: ['secret_of_theirs'] }), /^scopes\.0 is not a scope/],
  ['no scopes', row({ scopes: [] }), /^scopes must name at least one/],
  ['scopes left out', row({ scopes: undefined }), /^scopes must name at least one/],
  ['scopes as a text', row({ scopes: 'agents:read' }), /^scopes must be a list/],
  ['a strange environment', row({ environment: 'prod' }), /^environment must be LIVE or TEST/],
  [
    'an expiry that has passed',
    row({ expiresAt: '2020-01-01T00:00:00Z' }),
    /^expiresAt must be in/,
  ],
  ['an expiry in words', row({ expiresAt: 'next week' }), /^expiresAt must be an instant such as/],
  ['a creation to come', row({ createdAt: '2999-01-01T00:00:00Z' }), /^createdAt must not be in/],
  ['a long prefix', row({ prefix: 'x'.repeat(25) }), /^prefix must be at most 24/],
  ['a prefix with a space', row({ prefix: 'a b' }), /^prefix must be at most 24 printable/],
  ['a long end', row({ lastFour: '12345' }), /^lastFour must be 4/],
  ['an unknown member', row({ secret: 'sk_old_secret' }), /^must be an object with no other/],
  ['too many tags', row({ tags: Array.from({ length: 21 }, String) }), /^tags takes at most 20/],
  ['metadata as a list', row({ metadata: [1] }), /^metadata must be an object/],
  ['large metadata', row({ metadata: { x: 'y'.repeat(5000) } }), /^metadata must be at most 4096/],
];

test('bad rows are refused, each with its reason and nothing of its content; good ones are imported', async () => {
  const rows = [row(), ...bad.map(([, given]) => given), row()];
  const results = await importRows(keyward, rows, settings);
  expect(results.map((each) => each.row)).toEqual(rows.map((_, index) => index + 1));
  expect([results[0]?.result, results.at(-1)?.result]).toEqual(['imported', 'imported']);
  for (const [index, [what, , reason]] of bad.entries()) {
    const result = results[index + 1];
    expect([what, result]).toEqual([
      what,
      { row: index + 2, result: 'refused', reason: expect.stringMatching(reason) as unknown },
    ]);
  }
  const told = JSON.stringify(results);
  for (const content of ['sk_old_secret', 'secret_of_theirs', digest, 'next week']) {
    expect(told).not.toContain(content);
  }
});

test.each(['short', 'four-more'])(
  'a prefix that shows the whole key is refused: %s',
  async (secret) => {
    const whole = createHash('sha256').update(secret).digest('hex');
    const rows = [
      row({ digest: whole, prefix: secret }),
      row({ digest: whole, prefix: secret.slice(0, -4), lastFour: secret.slice(-4) }),
    ];
    for (const given of rows) {
      expect(await importRows(keyward, [given], settings)).toEqual([
        { row: 1, result: 'refused', reason: 'prefix and lastFour must not show the whole key.' },
      ]);
    }
  },
);

test('a dry run tells the same and changes nothing', async () => {
  const before = await counts();
  const rows = [row(), row({ name: '' }), row()];
  const dry = await importRows(keyward, rows, settings, { dryRun: true });
  expect(dry.map(({ result }) => result)).toEqual(['importable', 'refused', 'importable']);
  expect(await counts()).toEqual(before);
  const real = await importRows(keyward, rows, settings);
  expect(real.map(({ result }) => result)).toEqual(['imported', 'refused', 'imported']);
  const again = await importRows(keyward, rows, settings, { dryRun: true });
  expect(again.map(({ result }) => result)).toEqual(['already there', 'refused', 'already there']);
});

test('the same rows twice, in either encoding and with other settings, change nothing', async () => {
  const first = row({ digest: oldKey().digest });
  const encoded = Buffer.from(String(first.digest), 'hex').toString('base64url');
  await importRows(keyward, [first], settings);
  const before = await counts();
  const again = await importRows(
    keyward,
    [{ ...first, digest: encoded, name: 'Another name', scopes: ['admin:full'] }],
    settings,
  );
  expect(again.map(({ result }) => result)).toEqual(['already there']);
  expect(await counts()).toEqual(before);
});

test('a row that was imported is already there even when its expiry has passed since', async () => {
  const given = row({ expiresAt: '2100-01-01T00:00:00Z' });
  expect((await importRows(keyward, [given], settings))[0]?.result).toBe('imported');
  const sinceThen = { ...given, expiresAt: '2020-01-01T00:00:00Z' };
  expect((await importRows(keyward, [sinceThen], settings))[0]?.result).toBe('already there');
});

test('of two rows with one digest the first is imported and the second refused, also far apart', async () => {
  const twin = row();
  const rows = [twin, ...Array.from({ length: 150 }, () => row()), twin];
  const results = await importRows(keyward, rows, settings);
  expect(results.slice(0, -1).every(({ result }) => result === 'imported')).toBe(true);
  expect(results.at(-1)).toEqual({
    row: 152,
    result: 'refused',
    reason: 'digest is that of row 1 again.',
  });
});

test('two imports of the same rows at once import each row once', async () => {
  const rows = Array.from({ length: 120 }, () => row());
  const results = await Promise.all([
    importRows(keyward, rows, settings),
    importRows(keyward, rows, settings),
  ]);
  for (const index of rows.keys()) {
    expect(results.map((each) => each[index]?.result).sort()).toEqual([
      'already there',
      'imported',
    ]);
  }
});

test("another organization's key is refused without a word about whose it is", async () => {
  const other = await createOrganization(keyward, 'Competitor');
  const theirs = row({ name: 'Theirs' });
  const [imported] = await importRows(keyward, [theirs], settings, { organization: 'competitor' });
  if (imported?.result !== 'imported') throw new Error(JSON.stringify(imported));
  for (const dryRun of [true, false]) {
    const results = await importRows(keyward, [theirs], settings, { dryRun });
    expect(results).toEqual([{ row: 1, result: 'refused', reason: 'digest is in use already.' }]);
    const told = JSON.stringify(results);
    for (const theirOwn of [other.id, imported.apiKey.id, 'ompetitor']) {
      expect(told).not.toContain(theirOwn);
    }
  }
});

test("the product's rules for new keys hold: lifetime, expiry, environment", async () => {
  const strict = acceptingImports({
    maxLifetime: 'P90D',
    expirationRequired: true,
    environments: ['LIVE'],
  });
  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  const rows = [
    row({ expiresAt: inDays(30) }),
    row(),
    row({ expiresAt: inDays(91) }),
    row({ expiresAt: inDays(30), environment: 'TEST' }),
  ];
  expect(await importRows(keyward, rows, strict)).toEqual([
    expect.objectContaining({ result: 'imported' }),
    expect.objectContaining({ reason: expect.stringMatching(/^Keys must expire/) as unknown }),
    expect.objectContaining({ reason: expect.stringMatching(/^Keys may last P90D/) as unknown }),
    expect.objectContaining({ reason: 'environment must be LIVE for this product.' }),
  ]);
});

test('where all keys have full access, rows need no scopes', async () => {
  const full = acceptingImports({ permissions: 'full_access' });
  const [result] = await importRows(keyward, [row({ scopes: undefined })], full);
  if (result?.result !== 'imported') throw new Error(JSON.stringify(result));
  const { data } = await keyward.ask<{ apiKey: unknown }>(
    'query ($id: ID!) { apiKey(id: $id) { scopes } }',
    { id: result.apiKey.id },
  );
  expect(data.apiKey).toEqual({ scopes: ['admin:full'] });
});

test('the organization gets no more active keys than it may have, as a dry run foretells', async () => {
  const limited = acceptingImports({ maxActiveKeys: 121 });
  const rows = Array.from({ length: 123 }, () => row());
  const expected = (good: string) => rows.map((_, index) => (index < 120 ? good : 'refused')); // one key is there already
  const dry = await importRows(keyward, rows, limited, { dryRun: true });
  expect(dry.map(({ result }) => result)).toEqual(expected('importable'));
  const real = await importRows(keyward, rows, limited);
  expect(real.map(({ result }) => result)).toEqual(expected('imported'));
});

test('a product that does not accept imported keys says so before anything else', async () => {
  const before = await counts();
  await expect(importRows(keyward, [row()], {})).rejects.toMatchObject({
    code: 'POLICY_VIOLATION',
    details: { rule: 'ACCEPT_IMPORTED' },
  });
  expect(await counts()).toEqual(before);
});

test('a failure in the middle of a transaction leaves nothing of it, and the audit chain whole', async () => {
  await keyward.database.sql(`
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'out of order'; END $$;
    CREATE TRIGGER fail BEFORE INSERT ON api_key_imports FOR EACH ROW
      WHEN (NEW.digest < '\\x20') EXECUTE FUNCTION fail()`);
  const before = await counts();
  const rows = Array.from({ length: 100 }, () => row());
  await expect(importRows(keyward, rows, settings)).rejects.toThrow('out of order');
  expect(await counts()).toEqual(before);
  await keyward.database.sql('DROP TRIGGER fail ON api_key_imports');
  expect((await importRows(keyward, rows, settings)).every((r) => r.result === 'imported')).toBe(
    true,
  );
  await withRooms(keyward, async ({ audit }) => {
    for await (const { brokenAt } of audit.prove()) expect(brokenAt).toBeUndefined();
  });
});
