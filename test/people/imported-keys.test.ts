import { createHash } from 'node:crypto';
import { startIdentityProvider, type IdentityProvider } from '../support/identity-provider';
import { acceptingImports, importRows } from '../support/imports';
import { startTestKeyward, type TestKeyward } from '../support/keyward';

const settings = acceptingImports();
let provider: IdentityProvider;
let keyward: TestKeyward;
beforeAll(async () => {
  provider = await startIdentityProvider();
  keyward = await startTestKeyward({ ...provider.settings, ...settings });
});
afterAll(async () => {
  await keyward.stop();
  await provider.stop();
});

const who = '{ viewer { kind } }';
const part = (text: string): string => Buffer.from(text).toString('base64url');

/** Keys as SendGrid and Supabase issue them. */
test.each([
  'SG.dGhlIGlkIG9mIGl0.dGhlIHNlY3JldCBvZiBpdA',
  `${part('{"alg":"HS256"}')}.${part('{}')}.x`,
])(
  'where people present tokens, an imported key of the same shape works until it is revoked: %s',
  async (secret) => {
    const digest = createHash('sha256').update(secret).digest('hex');
    const row = { digest, name: 'Old key', scopes: ['contacts:read'] };
    const [result] = await importRows(keyward, [row], settings);
    const used = await keyward.ask(who, {}, { key: secret });
    expect(used.body).toEqual({ data: { viewer: { kind: 'API_KEY' } } });
    await keyward.ask(
      'mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: REPLACED }) { apiKey { id } } }',
      { id: result?.result === 'imported' ? result.apiKey.id : '' },
    );
    const { status, errors } = await keyward.ask(who, {}, { key: secret });
    expect([status, errors[0]?.extensions.reason]).toEqual([401, 'REVOKED']);
  },
);

test('where imported keys are accepted, people are known by their tokens, and bad tokens refused as such', async () => {
  const token = await provider.issue({ sub: 'jane', org_id: 'acme' });
  const known = await keyward.ask(who, {}, { key: token });
  expect(known.body).toEqual({ data: { viewer: { kind: 'USER' } } });
  const { status, errors } = await keyward.ask(who, {}, { key: 'not.a.token' });
  expect([status, errors[0]?.message]).toEqual([401, expect.stringMatching(/^The token /)]);
});
