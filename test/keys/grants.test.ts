import fc from 'fast-check';
import { created, createApiKey, refusal } from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

const violation = (rule: string) => ({ code: 'POLICY_VIOLATION', rule });

/** A key that may create keys. */
async function manager(input: Record<string, unknown> = {}): Promise<string> {
  const scopes = ['api_keys:write', 'contacts:read', 'agents:read'];
  return (await created(keyward, { scopes, ...input })).secret;
}

test('promise 3: whatever a caller asks for, it can grant exactly the scopes it has', async () => {
  const { data } = await keyward.ask<{ scopes: { name: string }[] }>('{ scopes { name } }');
  const catalogue = data.scopes.map(({ name }) => name);
  const limited = catalogue.filter((name) => name !== 'admin:full');
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(limited),
      fc.subarray(catalogue, { minLength: 1 }),
      async (held, asked) => {
        const scopes = ['api_keys:write', ...held];
        const { secret: key } = await created(keyward, { scopes });
        const answer = await createApiKey(keyward, { scopes: asked }, { key });
        const lacking = asked.filter((scope) => !scopes.includes(scope));
        expect(refusal(answer)).toEqual(lacking.length > 0 ? violation('GRANT_SCOPES') : {});
        expect(answer.errors[0]?.extensions.missingScopes ?? []).toEqual(lacking);
      },
    ),
    { numRuns: 30 },
  );
});

test('full access grants every scope, itself too', async () => {
  const { data } = await keyward.ask<{ scopes: { name: string }[] }>('{ scopes { name } }');
  const every = data.scopes.map(({ name }) => name);
  const { secret } = await created(keyward, { scopes: ['admin:full'] });
  const answer = await createApiKey(keyward, { scopes: every }, { key: secret });
  expect(answer.data.createApiKey?.apiKey.scopes).toEqual(every);
});

test('every scope but full access does not grant full access', async () => {
  const { data } = await keyward.ask<{ scopes: { name: string }[] }>('{ scopes { name } }');
  const scopes = data.scopes.map(({ name }) => name).filter((name) => name !== 'admin:full');
  const { secret: key } = await created(keyward, { scopes });
  const answer = await createApiKey(keyward, { scopes: ['admin:full'] }, { key });
  expect(refusal(answer)).toEqual(violation('GRANT_SCOPES'));
});

test('writing needs api_keys:write; reading is not enough', async () => {
  const { secret: key } = await created(keyward, { scopes: ['api_keys:read', 'contacts:read'] });
  const answer = await createApiKey(keyward, {}, { key });
  expect(answer.status).toBe(403);
  expect(answer.errors[0]?.extensions).toMatchObject({
    code: 'UNAUTHORIZED_FIELD_OR_TYPE',
    reason: 'INSUFFICIENT_SCOPE',
    missingScopes: [['api_keys:write']],
  });
});

test('a TEST key grants only TEST keys, a LIVE key both', async () => {
  const test = await manager({ environment: 'TEST' });
  const live = await manager();
  const asks: readonly (readonly [string, string | undefined, object])[] = [
    [test, 'TEST', {}],
    [test, 'LIVE', violation('GRANT_ENVIRONMENT')],
    [test, undefined, violation('GRANT_ENVIRONMENT')],
    [live, 'TEST', {}],
    [live, 'LIVE', {}],
  ];
  for (const [key, environment, expected] of asks) {
    const answer = await createApiKey(keyward, { environment }, { key });
    expect(refusal(answer)).toEqual(expected);
  }
});

test('nobody grants longer than they last: the same instant is allowed, a millisecond more is not', async () => {
  const expiresAt = '2090-06-01T12:00:00.500Z';
  const key = await manager({ expiresAt });
  const latestExpiresAt = expiresAt;
  const asks: readonly (readonly [object, object])[] = [
    [{ expiresAt: '2090-06-01T12:00:00.500Z' }, {}],
    [{ expiresIn: 'P1D' }, {}],
    [{ expiresAt: '2090-06-01T12:00:00.501Z' }, violation('GRANT_EXPIRY')],
    [{ expiresIn: 'P100Y' }, violation('GRANT_EXPIRY')],
    [{}, violation('GRANT_EXPIRY')],
  ];
  for (const [input, expected] of asks) {
    const answer = await createApiKey(keyward, { ...input }, { key });
    expect(refusal(answer)).toEqual(expected);
    if (answer.errors.length > 0) {
      expect(answer.errors[0]?.extensions).toMatchObject({ latestExpiresAt });
    }
  }
});

test('what a caller may grant, its own keys may grant on: never more, over any number of steps', async () => {
  const first = await manager({ expiresIn: 'P10D', environment: 'TEST' });
  const { secret: second } = await created(
    keyward,
    { scopes: ['api_keys:write', 'contacts:read'], expiresIn: 'P5D', environment: 'TEST' },
    { key: first },
  );
  const more = { environment: 'TEST', expiresIn: 'P4D' };
  const asks: readonly (readonly [object, object])[] = [
    [{ ...more, scopes: ['contacts:read'] }, {}],
    [{ ...more, scopes: ['agents:read'] }, violation('GRANT_SCOPES')],
    [{ ...more, environment: 'LIVE' }, violation('GRANT_ENVIRONMENT')],
    [{ ...more, expiresIn: 'P6D' }, violation('GRANT_EXPIRY')],
  ];
  for (const [input, expected] of asks) {
    expect(refusal(await createApiKey(keyward, { ...input }, { key: second }))).toEqual(expected);
  }
});

test('viewer tells anybody who they are: nobody, or a key with its effective scopes', async () => {
  const ask = '{ viewer { kind scopes apiKey { name } organization { name } } }';
  const anonymous = await keyward.ask(ask, {}, { key: null });
  expect(anonymous.data).toEqual({
    viewer: { kind: 'ANONYMOUS', scopes: [], apiKey: null, organization: null },
  });
  const { secret: key } = await created(keyward, { name: 'Reader' });
  expect((await keyward.ask(ask, {}, { key })).data).toEqual({
    viewer: {
      ...{ kind: 'API_KEY', scopes: ['contacts:read'] },
      ...{ apiKey: { name: 'Reader' }, organization: { name: 'default' } },
    },
  });
  const admin = await keyward.ask<{ viewer: { scopes: string[] }; scopes: { name: string }[] }>(
    '{ viewer { scopes } scopes { name } }',
  );
  const catalogue = admin.data.scopes.map(({ name }) => name);
  expect([...admin.data.viewer.scopes].sort()).toEqual([...catalogue].sort());
});
