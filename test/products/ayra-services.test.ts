import { verifyApiKey } from '../support/verifications';
import { accountOf, type Account } from './people';
import { startProduct, type Product } from './product';

// Ayra's help page, "Understanding and Managing API Keys": what it says about keys that are used at
// the Ayra API, whose services ask Keyward about them.

let ayra: Product;
let account: Account;
/** Asks with the key of one of Ayra's services. */
let service: Pick<Product['keyward'], 'ask'>;
beforeAll(async () => {
  account = await accountOf('ayra');
  ayra = await startProduct('ayra', account.settings);
  const scopes = ['api_keys:verify'];
  const { secret } = await ayra.create(account.admin, { name: 'Agents service', scopes });
  service = { ask: async (query, variables) => ayra.ask(secret, query, variables) };
});
afterAll(async () => {
  await ayra.stop();
  await account.stop();
});

async function outcomeOf(key: string, wanted: Record<string, unknown> = {}): Promise<unknown> {
  const { data } = await verifyApiKey(service, { key, ...wanted });
  return data.verifyApiKey?.outcome;
}

test.each([
  ['live', 'development', 'LIVE', 'TEST'],
  ['test', 'production', 'TEST', 'LIVE'],
])('a %s key is not accidentally used in %s', async (_key, _where, environment, other) => {
  const web = { name: 'Production Web App', scopes: ['agents:read'], environment };
  const { secret } = await ayra.create(account.member, web);
  expect(await outcomeOf(secret, { environment })).toBe('VALID');
  expect(await outcomeOf(secret, { environment: other })).toBe('WRONG_ENVIRONMENT');
});

test('attackers with a compromised limited key can only act within its scopes', async () => {
  const scopes = ['contacts:write', 'contacts:read'];
  const { secret } = await ayra.create(account.member, { name: 'CRM integration', scopes });
  expect(await outcomeOf(secret, { requiredScopes: [['contacts:write']] })).toBe('VALID');
  const changeAgents = { requiredScopes: [['agents:write']] };
  expect(await outcomeOf(secret, changeAgents)).toBe('INSUFFICIENT_SCOPE');
});

test('admin:full has complete access to all API capabilities', async () => {
  const scopes = ['admin:full'];
  const { secret } = await ayra.create(account.admin, { name: 'Developer testing', scopes });
  const everything = {
    requiredScopes: [['agents:write', 'conversations:write', 'workflows:write']],
  };
  expect(await outcomeOf(secret, everything)).toBe('VALID');
});

test('all requests using revoked keys fail', async () => {
  const web = { name: 'Production Web App', scopes: ['agents:read'] };
  const { id, secret } = await ayra.create(account.member, web);
  await ayra.revoke(account.member, id, 'COMPROMISED');
  expect(await outcomeOf(secret)).toBe('REVOKED');
});
