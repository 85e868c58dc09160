import { createHash, randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { created, readApiKey, refusal, revokeApiKey, tryKey } from '../support/api-keys';
import { graphql } from '../support/http';
import { startTestKeyward, testPepper, type TestKeyward } from '../support/keyward';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

const ask = { query: '{ viewer { kind } }' };
const pepperId = (pepper: string): string =>
  createHash('sha256').update(`keyward pepper ${pepper}`).digest('hex').slice(0, 12);

async function rowOf(id: string): Promise<{ digest: string; pepper_id: string } | undefined> {
  const rows = await keyward.database.sql<{ digest: string; pepper_id: string }>(
    `SELECT encode(digest, 'hex') AS digest, pepper_id FROM api_keys WHERE id = $1`,
    [id],
  );
  return rows[0];
}

/** Sends a request with a key to a replica; its status. */
async function statusAt(url: string, key: string): Promise<number> {
  return (await graphql(url, ask, { key })).status;
}

test('a wrong secret is UNKNOWN, a mistyped one MALFORMED, and both answer alike but for that word', async () => {
  const { secret } = await created(keyward);
  // The same product's key from elsewhere: well formed, never issued here.
  const elsewhere = await startTestKeyward();
  const { secret: unknown } = await created(elsewhere);
  await elsewhere.stop();
  const mistyped = secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0');
  const answers = await Promise.all(
    [unknown, mistyped, 'nonsense'].map((key) => keyward.ask('{ viewer { kind } }', {}, { key })),
  );
  expect(answers.map((answer) => refusal(answer).reason)).toEqual([
    ...['UNKNOWN', 'MALFORMED', 'MALFORMED'],
  ]);
  const [first] = answers.map(({ errors }) => errors[0]?.message);
  for (const answer of answers) {
    expect(answer.status).toBe(401);
    expect(answer.errors[0]?.message).toBe(first);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  }
});

test('status goes by the database’s clock: the instant of expiry itself is expired', async () => {
  const { apiKey, secret } = await created(keyward, { expiresIn: 'P1D' });
  const client = new Client({ connectionString: keyward.database.url });
  await client.connect();
  try {
    // In one transaction statement_timestamp() of this statement is the instant judged by.
    const { rows } = await client.query<{ status: string }>(
      `WITH moment AS (SELECT date_trunc('milliseconds', statement_timestamp()) AS now)
       SELECT api_key_status(key) AS status FROM moment, LATERAL (
         SELECT (jsonb_populate_record(api_keys, jsonb_build_object('expires_at', ends))).*
         FROM api_keys, unnest(ARRAY[now - interval '1 ms', now, now + interval '1 ms'])
           WITH ORDINALITY AS given (ends, place)
         WHERE id = $1 ORDER BY place) AS key`,
      [apiKey.id],
    );
    expect(rows.map(({ status }) => status)).toEqual(['EXPIRED', 'EXPIRED', 'ACTIVE']);
  } finally {
    await client.end();
  }
  await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [apiKey.id]);
  expect(await tryKey(keyward, secret)).toBe('EXPIRED');
  expect((await readApiKey(keyward, apiKey.id))?.status).toBe('EXPIRED');
  await keyward.database.sql(
    `UPDATE api_keys SET expires_at = now() + interval '1 hour' WHERE id = $1`,
    [apiKey.id],
  );
  expect(await tryKey(keyward, secret)).toBe('VALID');
});

test('an expired key that was revoked is REVOKED', async () => {
  const { apiKey, secret } = await created(keyward, { expiresIn: 'P1D' });
  await revokeApiKey(keyward, { id: apiKey.id });
  await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [apiKey.id]);
  expect(await tryKey(keyward, secret)).toBe('REVOKED');
});

test('a verdict is never kept: whatever the database says counts for the next request', async () => {
  const { apiKey, secret } = await created(keyward);
  for (const [revoked, expected] of [
    ['now()', 'REVOKED'],
    ['NULL', 'VALID'],
  ]) {
    const text = revoked === 'NULL' ? 'NULL' : `'x'`;
    await keyward.database.sql(
      `UPDATE api_keys SET revoked_at = ${revoked}, revocation_reason = ${text},
         revoked_by_kind = ${text}, revoked_by_name = ${text} WHERE id = $1`,
      [apiKey.id],
    );
    expect(await tryKey(keyward, secret)).toBe(expected);
  }
});

test('concurrent requests with different keys each get their own verdict', async () => {
  const keys = await Promise.all(
    Array.from({ length: 60 }, (_, index) => created(keyward, { name: `Key ${index}` })),
  );
  const revoked = keys.filter((_, index) => index % 3 === 0);
  await Promise.all(revoked.map(({ apiKey }) => revokeApiKey(keyward, { id: apiKey.id })));
  const answers = await Promise.all(
    keys.map(({ secret }) =>
      keyward.ask<{ viewer: { apiKey: { name: string } } }>(
        '{ viewer { apiKey { name } } }',
        {},
        { key: secret },
      ),
    ),
  );
  answers.forEach((answer, index) => {
    if (index % 3 === 0) expect(refusal(answer)).toMatchObject({ reason: 'REVOKED' });
    else expect(answer.data.viewer.apiKey.name).toBe(`Key ${index}`);
  });
});

test('rows name their pepper, and a key is re-hashed under the newest on its next use', async () => {
  const { apiKey, secret } = await created(keyward);
  const before = await rowOf(apiKey.id);
  expect(before?.pepper_id).toBe(pepperId(testPepper));
  const newest = randomBytes(32).toString('base64');
  const renewed = await keyward.startReplica({ KEYWARD_PEPPERS: `${newest},${testPepper}` });
  expect(await statusAt(renewed.graphqlUrl, secret)).toBe(200);
  const after = await rowOf(apiKey.id);
  expect(after?.pepper_id).toBe(pepperId(newest));
  expect(after?.digest).not.toBe(before?.digest);
  // Later the old pepper can go; a replica that has only that one no longer knows the key.
  const only = await keyward.startReplica({ KEYWARD_PEPPERS: newest });
  expect(await statusAt(only.graphqlUrl, secret)).toBe(200);
  expect(await tryKey(keyward, secret)).toBe('UNKNOWN');
  expect(await rowOf(apiKey.id)).toEqual(after);
});

test('concurrent first uses under a new pepper all succeed', async () => {
  const { apiKey, secret } = await created(keyward);
  const newest = randomBytes(32).toString('base64');
  const renewed = await keyward.startReplica({ KEYWARD_PEPPERS: `${newest},${testPepper}` });
  const statuses = await Promise.all(
    Array.from({ length: 20 }, () => statusAt(renewed.graphqlUrl, secret)),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect((await rowOf(apiKey.id))?.pepper_id).toBe(pepperId(newest));
});

test('a key whose pepper is gone is UNKNOWN', async () => {
  const { secret } = await created(keyward);
  const stranger = await keyward.startReplica({
    KEYWARD_PEPPERS: randomBytes(32).toString('base64'),
  });
  const answer = await graphql(stranger.graphqlUrl, ask, { key: secret });
  expect(refusal(answer)).toEqual({ code: 'UNAUTHENTICATED', reason: 'UNKNOWN' });
});
