import { createHash, randomBytes } from 'node:crypto';
import { mintKey } from '../../src/keys/key-secret';
import type { AnswerError } from '../support/http';
import { graphql } from '../support/http';
import { startIdentityProvider } from '../support/identity-provider';
import { acceptingImports, importRows, oldKey, type OldKey } from '../support/imports';
import { startTestKeyward, testPepper, type TestKeyward } from '../support/keyward';
import { samplesIn, valueOf } from '../support/metrics';
import { createOrganization } from '../support/organizations';
import { postVerifications, unknownKey } from '../support/verifications';

const settings = acceptingImports();
let keyward: TestKeyward;
beforeEach(async () => {
  keyward = await startTestKeyward(settings);
});
afterEach(async () => keyward.stop());

const whoAmI = '{ viewer { kind scopes apiKey { id name redacted prefix status createdAt } } }';

interface WhoAmI {
  readonly viewer: { readonly apiKey: { readonly id: string; readonly name: string } };
}

async function use(secret: string, url = keyward.url) {
  return graphql<WhoAmI>(url, { query: whoAmI }, { key: secret });
}

async function reasonFor(secret: string): Promise<unknown> {
  const { status, errors } = await use(secret);
  expect(status).toBe(401);
  return errors[0]?.extensions.reason;
}

/** Imports one key; its id. */
async function importKey(key: OldKey, more: object = {}): Promise<string> {
  const row = { digest: key.digest, name: 'Old key', scopes: ['contacts:read'], ...more };
  const [result] = await importRows(keyward, [row], settings);
  if (result?.result !== 'imported') throw new Error(JSON.stringify(result));
  return result.apiKey.id;
}

interface Row {
  readonly digest: Buffer;
  readonly pepper_id: string;
}

async function rowOf(id: string): Promise<Row> {
  const [row] = await keyward.database.sql<Row>(
    'SELECT digest, pepper_id FROM api_keys WHERE id = $1',
    [id],
  );
  if (row === undefined) throw new Error('no such key');
  return row;
}

async function revoke(id: string): Promise<readonly AnswerError[]> {
  const { errors } = await keyward.ask(
    'mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: COMPROMISED }) { apiKey { id } } }',
    { id },
  );
  return errors;
}

test.each(['hex', 'base64url'] as const)(
  'a key imported by its SHA-256 in %s works in its old shape, with the settings of its row',
  async (encoding) => {
    const key = oldKey(encoding);
    const id = await importKey(key, {
      name: 'CI/CD Pipeline',
      prefix: 'legacy-',
      lastFour: key.secret.slice(-4),
      createdAt: '2020-02-29T12:00:00+01:00',
    });
    const { data, errors } = await use(key.secret);
    expect(errors).toEqual([]);
    expect(data.viewer).toEqual({
      kind: 'API_KEY',
      scopes: ['contacts:read'],
      apiKey: {
        id,
        name: 'CI/CD Pipeline',
        prefix: 'legacy-',
        redacted: `legacy-...${key.secret.slice(-4)}`,
        status: 'ACTIVE',
        createdAt: '2020-02-29T11:00:00.000Z',
      },
    });
  },
);

test('the first use re-hashes the row as if the key had been created here; it goes on working', async () => {
  const key = oldKey();
  const id = await importKey(key);
  const before = await rowOf(id);
  expect(before.pepper_id).toMatch(/^[0-9a-f]{12}:sha256$/);
  expect((await use(key.secret)).status).toBe(200);
  const after = await rowOf(id);
  expect(after.digest.equals(before.digest)).toBe(false);
  expect(after.pepper_id).toBe(before.pepper_id.replace(':sha256', ''));
  expect((await use(key.secret)).data.viewer.apiKey.id).toBe(id);
  expect(await rowOf(id)).toEqual(after);
});

test('every use of an imported key is recorded, the first one too', async () => {
  const key = oldKey();
  const id = await importKey(key);
  await use(key.secret);
  await use(key.secret);
  const records = await keyward.database.sql(
    'SELECT outcome FROM api_key_requests WHERE api_key_id = $1',
    [id],
  );
  expect(records).toEqual([{ outcome: 'VALID' }, { outcome: 'VALID' }]);
});

test('many first uses at once, on two replicas, are all let in and leave one whole row', async () => {
  const replica = await keyward.startReplica();
  const keys = Array.from({ length: 5 }, () => oldKey());
  const ids = await Promise.all(keys.map(async (key) => importKey(key)));
  const answers = await Promise.all(
    keys.flatMap(({ secret }) =>
      [keyward.url, replica.graphqlUrl, keyward.url, replica.graphqlUrl].map(async (url) =>
        use(secret, url),
      ),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  for (const id of ids) expect((await rowOf(id)).pepper_id).toMatch(/^[0-9a-f]{12}$/);
  for (const { secret } of keys) expect((await use(secret)).status).toBe(200);
});

test('who knows only the SHA-256 of a key has nothing to present, before its first use and after', async () => {
  const key = oldKey();
  await importKey(key);
  const bytes = Buffer.from(key.digest, 'hex');
  const guesses = [
    key.digest,
    key.digest.toUpperCase(),
    bytes.toString('base64url'),
    bytes.toString('base64'),
    `sha256:${key.digest}`,
  ];
  for (const guess of guesses) expect(await reasonFor(guess)).toBe('MALFORMED');
  expect((await use(key.secret)).status).toBe(200);
  for (const guess of guesses) expect(await reasonFor(guess)).toBe('MALFORMED');
});

test('an imported key that was revoked stays so, used or not, however often it is imported', async () => {
  for (const usedBefore of [true, false]) {
    const key = oldKey();
    const id = await importKey(key);
    if (usedBefore) expect((await use(key.secret)).status).toBe(200);
    expect(await revoke(id)).toEqual([]);
    expect(await reasonFor(key.secret)).toBe('REVOKED');
    const row = { digest: key.digest, name: 'Back again', scopes: ['contacts:read'] };
    const again = await importRows(keyward, [row], settings);
    expect(again).toEqual([{ row: 1, result: 'already there', apiKey: { id } }]);
    expect(await reasonFor(key.secret)).toBe('REVOKED');
  }
});

test('an imported key expires like any other', async () => {
  const key = oldKey();
  const id = await importKey(key, { expiresAt: '2100-01-01T00:00:00Z' });
  await keyward.database.sql(
    `UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1`,
    [id],
  );
  expect(await reasonFor(key.secret)).toBe('EXPIRED');
});

test('a key imported under an old pepper works under a new one, and is still known to imports', async () => {
  const unused = oldKey();
  const used = oldKey();
  await importKey(unused);
  await importKey(used);
  await use(used.secret);
  const newPepper = 'n'.repeat(32);
  const rotated = { ...settings, KEYWARD_PEPPERS: `${newPepper},${testPepper}` };
  const replica = await keyward.startReplica(rotated);
  for (const { secret } of [unused, used]) {
    expect((await use(secret, replica.graphqlUrl)).status).toBe(200);
  }
  // All keys have been used since, so the old pepper can go.
  const onlyNew = { ...settings, KEYWARD_PEPPERS: newPepper };
  const later = await keyward.startReplica(onlyNew);
  const rows = [unused, used].map(({ digest }) => ({ digest, name: 'x', scopes: ['agents:read'] }));
  for (const { secret } of [unused, used]) {
    expect((await use(secret, later.graphqlUrl)).status).toBe(200);
  }
  const results = await importRows(keyward, rows, onlyNew);
  expect(results.map(({ result }) => result)).toEqual(['already there', 'already there']);
});

test('an imported key that happens to have our own shape and checksum works, too', async () => {
  const { secret } = mintKey({ prefix: 'gh', showEnvironment: false }, 'LIVE');
  const digest = createHash('sha256').update(secret).digest('hex');
  const id = await importKey({ secret, digest });
  expect((await use(secret)).data.viewer.apiKey.id).toBe(id);
  expect((await use(secret)).data.viewer.apiKey.id).toBe(id);
});

test.each([
  ['as SendGrid’s', (body: string) => `SG.${body}.${body}`],
  ['as a token of another issuer', (body: string) => `eyJhbGciOiJIUzI1NiJ9.e30.${body}`],
])('where people sign in, keys in a token’s shape work too: %s', async (_, shape) => {
  const provider = await startIdentityProvider();
  const { graphqlUrl: url } = await keyward.startReplica(provider.settings);
  const secret = shape(randomBytes(16).toString('base64url'));
  const id = await importKey({ secret, digest: createHash('sha256').update(secret).digest('hex') });
  expect((await use(secret, url)).data.viewer.apiKey.id).toBe(id);
  await revoke(id);
  expect((await use(secret, url)).errors[0]?.extensions.reason).toBe('REVOKED');
  expect((await use(`${secret}x`, url)).errors[0]?.message).toMatch(/^The token is not valid/);
  await provider.stop();
});

test('keys that are neither ours nor imported are refused as before', async () => {
  const key = oldKey();
  await importKey(key);
  expect(await reasonFor(oldKey().secret)).toBe('MALFORMED');
  expect(await reasonFor(`${key.secret}x`)).toBe('MALFORMED');
  expect(await reasonFor(`${keyward.adminKey}x`)).toBe('MALFORMED');
  const { secret } = mintKey({ prefix: 'sk', showEnvironment: true }, 'LIVE');
  expect(await reasonFor(secret)).toBe('UNKNOWN');
});

test('what fails shape or checksum is refused without a query where no imports are accepted', async () => {
  const plain = await keyward.startReplica({ KEYWARD_CONFIG: '' });
  const key = oldKey();
  await importKey(key);
  // Whoever asks for a key now meets an error.
  await keyward.database.sql('ALTER TABLE api_keys RENAME TO hidden');
  for (const malformed of [key.secret, `${keyward.adminKey}x`]) {
    expect((await use(malformed, plain.graphqlUrl)).errors[0]?.extensions.reason).toBe('MALFORMED');
    expect((await use(malformed)).status).toBe(500);
  }
  expect((await use(keyward.adminKey, plain.graphqlUrl)).status).toBe(500);
});

test('what no key can be is refused without a query even where imports are accepted', async () => {
  await keyward.database.sql('ALTER TABLE api_keys RENAME TO hidden');
  expect((await use('x'.repeat(512))).status).toBe(500);
  expect(await reasonFor('x'.repeat(513))).toBe('MALFORMED');
  expect(await reasonFor('clé')).toBe('MALFORMED');
});

test('the database holds neither an imported secret nor its SHA-256 in any form', async () => {
  const keys = [oldKey(), oldKey('base64url')];
  for (const key of keys) await importKey(key);
  await use(keys[0]?.secret ?? '');
  const tables = await keyward.database.sql<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
  );
  let dump = '';
  for (const { name } of tables) {
    const rows = await keyward.database.sql(`SELECT whole::text FROM ${name} AS whole`);
    dump += JSON.stringify(rows);
  }
  expect(dump).toContain('Old key');
  for (const { secret } of keys) {
    const sha256 = createHash('sha256').update(secret).digest();
    expect(dump).not.toContain(secret);
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      expect(dump).not.toContain(sha256.toString(encoding));
    }
  }
});

test('another organization’s key is looked for as long as one that nobody issued', async () => {
  const token = 'x'.repeat(32);
  const { graphqlUrl: url } = await keyward.startReplica({ KEYWARD_METRICS_TOKEN: token });
  const lookups = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(new URL('/metrics', url), { headers });
    const name = 'keyward_lookup_batch_size_count';
    return valueOf(samplesIn(await answer.text()), name) ?? 0;
  };
  const foreign = await (await createOrganization(keyward, 'Competitor')).createKey();
  const took: number[] = [];
  for (const key of [foreign.secret, unknownKey()]) {
    const before = await lookups();
    const asked = [{ key, service: 'contacts' }];
    const { body } = await postVerifications({ url }, asked, { key: keyward.adminKey });
    expect(body.verifications[0]?.outcome).toBe('UNKNOWN');
    took.push((await lookups()) - before);
  }
  expect(took).toEqual([3, 3]); // one for who asks; ours and an imported one for what is asked about
});
