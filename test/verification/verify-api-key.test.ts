import { created, refusal, revokeApiKey } from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { samplesIn, valueOf } from '../support/metrics';
import { withRooms } from '../support/organizations';
import { until } from '../support/process';
import { rotate } from '../support/successions';
import { recordsOf, unknownKey, verifyApiKey } from '../support/verifications';

const metricsToken = 'x'.repeat(32);

let keyward: TestKeyward;
let verifier: { id: string; secret: string };
beforeAll(async () => {
  keyward = await startTestKeyward({ KEYWARD_METRICS_TOKEN: metricsToken });
  verifier = await keyward.createKey({ scopes: ['api_keys:verify'] });
});
afterAll(async () => keyward.stop());

const verify = async (input: Readonly<Record<string, unknown>>) => {
  const { data } = await verifyApiKey(keyward, input, { key: verifier.secret });
  return data.verifyApiKey;
};
const alive = { scopes: ['contacts:read'], missingScopes: [], superseded: false };
const worthless = { valid: false, scopes: [], missingScopes: [], superseded: false };

describe('verifyApiKey', () => {
  test('says VALID, what the key may do, and whose it is', async () => {
    const { apiKey, secret } = await created(keyward, { name: 'Presented' });
    const { data, errors, status } = await keyward.ask(
      `mutation ($input: VerifyApiKeyInput!) { verifyApiKey(input: $input) {
         valid outcome scopes missingScopes superseded
         apiKey { id name redacted status environment organization { id name } advice { code }
                  createdBy { displayName } rotation { lastRotatedAt requestsSinceSuccessor } } } }`,
      { input: { key: secret, service: 'contacts', requiredScopes: [['contacts:read']] } },
      { key: verifier.secret },
    );
    expect([status, errors]).toEqual([200, []]);
    const { id, name, redacted, status: worth, environment, organization } = apiKey;
    expect(data).toEqual({
      verifyApiKey: {
        ...{ ...alive, valid: true, outcome: 'VALID' },
        apiKey: {
          ...{ id, name, redacted, status: worth, environment, organization },
          advice: [{ code: 'NO_EXPIRATION' }],
          createdBy: { displayName: 'API Key: Admin key of the first start' },
          rotation: { lastRotatedAt: null, requestsSinceSuccessor: 0 },
        },
      },
    });
  });

  test('expands full access to the whole catalogue', async () => {
    const { secret } = await created(keyward, { scopes: ['admin:full'] });
    expect((await verify({ key: secret, requiredScopes: [['agents:write']] }))?.scopes).toEqual(
      expect.arrayContaining(['admin:full', 'agents:write', 'organization:write']),
    );
  });

  test.each([
    ['null', null, []],
    ['an empty list', [], []],
    ['one list that is met', [['agents:read'], ['contacts:read']], []],
    [
      'lists that lack something',
      [['agents:read'], ['contacts:read', 'contacts:write']],
      [['agents:read'], ['contacts:write']],
    ],
  ])('takes any of the lists, and all of its members: %s', async (_, requiredScopes, missing) => {
    const { secret } = await created(keyward);
    const outcome = missing.length === 0 ? 'VALID' : 'INSUFFICIENT_SCOPE';
    expect(await verify({ key: secret, requiredScopes })).toEqual({
      ...{ ...alive, valid: outcome === 'VALID', outcome, missingScopes: missing },
    });
  });

  test('judges in one order: is it a key, is it alive, the environment, the scopes', async () => {
    const demands = { environment: 'TEST', requiredScopes: [['agents:read']] };
    const live = await created(keyward);
    const expired = await created(keyward, { expiresIn: 'P1D' });
    await keyward.database.sql('UPDATE api_keys SET expires_at = now() WHERE id = $1', [
      expired.apiKey.id,
    ]);
    const revoked = await created(keyward);
    await revokeApiKey(keyward, { id: revoked.apiKey.id });
    const keys = ['', 'nonsense', unknownKey(), expired.secret, revoked.secret, live.secret];
    const outcomes = [];
    for (const key of keys) outcomes.push((await verify({ key, ...demands }))?.outcome);
    expect(outcomes).toEqual([
      ...['MALFORMED', 'MALFORMED', 'UNKNOWN', 'EXPIRED', 'REVOKED', 'WRONG_ENVIRONMENT'],
    ]);
    expect(await verify({ key: revoked.secret, ...demands })).toEqual({
      ...{ ...worthless, outcome: 'REVOKED' },
    });
    expect(await verify({ key: live.secret, ...demands, environment: 'LIVE' })).toEqual({
      ...{ ...alive, valid: false, outcome: 'INSUFFICIENT_SCOPE' },
      missingScopes: [['agents:read']],
    });
  });

  test('says that a key has a successor while both work, and when the old one has stopped', async () => {
    const { apiKey, secret } = await created(keyward);
    const { secret: next } = await rotate(keyward.ask, { id: apiKey.id });
    expect(await verify({ key: secret })).toMatchObject({ outcome: 'VALID', superseded: true });
    expect(await verify({ key: next })).toMatchObject({ outcome: 'VALID', superseded: false });
    await keyward.database.sql('UPDATE api_keys SET retires_at = now() WHERE id = $1', [apiKey.id]);
    expect(await verify({ key: secret })).toMatchObject({ outcome: 'REVOKED', superseded: true });
  });

  test('leaves one record for each call under an alias, and one of its own', async () => {
    const { apiKey, secret } = await created(keyward);
    const input = { key: secret, service: 'contacts', operation: 'ListContacts' };
    const { data, headers } = await keyward.ask(
      `mutation Check($good: VerifyApiKeyInput!, $bad: VerifyApiKeyInput!) {
         a: verifyApiKey(input: $good) { outcome }
         b: verifyApiKey(input: $bad) { outcome }
         c: verifyApiKey(input: $good) { apiKey { id } } }`,
      { good: input, bad: { ...input, key: 'nonsense' } },
      { key: verifier.secret },
    );
    expect(data).toEqual({
      a: { outcome: 'VALID' },
      b: { outcome: 'MALFORMED' },
      c: { apiKey: { id: apiKey.id } },
    });
    const records = await recordsOf(keyward, headers.get('x-request-id'));
    expect(
      records.map((each) => [each.service, each.operation, each.outcome, each.apiKeyId]),
    ).toEqual([
      ['contacts', 'ListContacts', 'MALFORMED', null],
      ['contacts', 'ListContacts', 'VALID', apiKey.id],
      ['contacts', 'ListContacts', 'VALID', apiKey.id],
      ['keyward', 'Check', 'VALID', verifier.id],
    ]);
  });

  test('is refused to everybody without api_keys:verify, and leaves no record of the key then', async () => {
    const { apiKey, secret } = await created(keyward, { scopes: ['api_keys:read'] });
    const answer = await verifyApiKey(keyward, { key: secret }, { key: secret });
    expect([answer.status, refusal(answer)]).toEqual([
      403,
      { code: 'UNAUTHORIZED_FIELD_OR_TYPE', reason: 'INSUFFICIENT_SCOPE' },
    ]);
    expect((await verifyApiKey(keyward, { key: secret }, { key: null })).status).toBe(401);
    const rows = await keyward.database.sql(
      `SELECT service FROM api_key_requests WHERE api_key_id = $1`,
      [apiKey.id],
    );
    expect(rows).toEqual([{ service: 'keyward' }]);
  });

  test('shows of other keys nothing to a verifier that may not read keys', async () => {
    const { apiKey, secret } = await created(keyward);
    await rotate(keyward.ask, { id: apiKey.id });
    const { data, errors } = await keyward.ask(
      `mutation ($input: VerifyApiKeyInput!) { verifyApiKey(input: $input) { apiKey {
         rotation { successor { id } } auditEvents { totalCount }
         organization { apiKeys { totalCount } apiKeyPolicy { managedBy } } } } }`,
      { input: { key: secret, service: 'contacts' } },
      { key: verifier.secret },
    );
    expect(data).toEqual({
      verifyApiKey: {
        apiKey: {
          ...{ rotation: { successor: null }, auditEvents: null },
          organization: { apiKeys: null, apiKeyPolicy: null },
        },
      },
    });
    expect(errors.map(({ extensions }) => extensions.reason)).toEqual(
      Array.from({ length: 4 }, () => 'INSUFFICIENT_SCOPE'),
    );
  });
});

test('the keys that concurrent calls show are read together, each for its own call', async () => {
  const keys = await Promise.all(Array.from({ length: 40 }, () => created(keyward)));
  const judgedBefore = await judged();
  const answers = await withRooms(keyward, (_rooms, database) =>
    database.transaction(async (tx) => {
      // Holds back what reads when a key was last used, which judging a secret does not.
      await tx.query('LOCK TABLE api_key_last_uses IN ACCESS EXCLUSIVE MODE');
      const asked = keys.map(async ({ secret }) =>
        keyward.ask(
          `mutation ($input: VerifyApiKeyInput!) { verifyApiKey(input: $input) { apiKey { id } } }`,
          { input: { key: secret, service: 'contacts' } },
          { key: verifier.secret },
        ),
      );
      // Each call's own secret, and the one that it presents.
      await until('all are judged', async () => (await judged()) === judgedBefore + 80);
      await until('two queries wait', async () => (await readersAtTheLock()) === 2);
      return asked;
    }),
  );
  expect((await Promise.all(answers)).map(({ data }) => data)).toEqual(
    keys.map(({ apiKey: { id } }) => ({ verifyApiKey: { apiKey: { id } } })),
  );
});

async function judged(): Promise<number> {
  const answer = await fetch(new URL('/metrics', keyward.url), {
    headers: { authorization: `Bearer ${metricsToken}` },
  });
  const samples = samplesIn(await answer.text());
  return valueOf(samples, 'keyward_verifications_total', { outcome: 'VALID' }) ?? 0;
}

async function readersAtTheLock(): Promise<number> {
  const [row] = await keyward.database.sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_locks
     WHERE relation = 'api_key_last_uses'::regclass AND NOT granted`,
  );
  return row?.count ?? 0;
}
