import { requestsOf, totalOf, usageOf, organizationRequests } from '../support/usage';
import { accountOf, type Account } from './people';
import { startProduct, type Product } from './product';

// Ayra's help page, "Understanding and Managing API Keys": what it says about looking at usage.

let ayra: Product;
let account: Account;
/** Asks as a user of the account, not with a key. */
let member: Pick<Product['keyward'], 'ask'>;
beforeAll(async () => {
  account = await accountOf('ayra');
  ayra = await startProduct('ayra', account.settings);
  member = { ask: async (query, variables) => ayra.ask(account.member, query, variables) };
});
afterAll(async () => {
  await ayra.stop();
  await account.stop();
});

const web = { name: 'Production Web App', scopes: ['agents:read'] };

async function call(secret: string, operation: string): Promise<string | null> {
  const { headers } = await ayra.ask(secret, `query ${operation} { viewer { kind } }`);
  return headers.get('x-request-id');
}

test('View Usage shows the API calls made with this key', async () => {
  const key = await ayra.create(account.member, web);
  const other = await ayra.create(account.member, { ...web, name: 'Mobile App - iOS' });
  const calls = [await call(key.secret, 'ListAgents'), await call(key.secret, 'ShowAgent')];
  await call(other.secret, 'ListAgents');
  const { nodes } = await requestsOf(member, key.id);
  expect(nodes.map(({ requestId }) => requestId)).toEqual(calls.toReversed());
  expect(nodes[0]).toMatchObject({ operation: 'ShowAgent', outcome: 'VALID', ip: '127.0.0.1' });
  expect(totalOf(await usageOf(member, key.id))).toEqual({ allowed: 2, refused: 0 });
});

test('View Usage shows nothing of a key that was never used, day by day', async () => {
  const { id } = await ayra.create(account.member, web);
  const days = await usageOf(member, id);
  expect(days.length).toBeGreaterThanOrEqual(30);
  expect(totalOf(days)).toEqual({ allowed: 0, refused: 0 });
  expect((await requestsOf(member, id)).nodes).toEqual([]);
});

test('analytics:read gives a dashboard’s key access to usage, and nothing else does', async () => {
  const scopes = ['analytics:read', 'conversations:read'];
  const dashboard = await ayra.create(account.member, { name: 'Analytics Dashboard', scopes });
  const script = await ayra.create(account.member, web);
  const document = '{ apiKeyUsage { start allowed refused } }';
  expect((await ayra.ask(dashboard.secret, document)).errors).toEqual([]);
  expect((await ayra.ask(script.secret, document)).status).toBe(403);
});

test('rotation, verify: all systems are seen to use the new key', async () => {
  const old = await ayra.create(account.member, web);
  const { apiKey, secret } = await ayra.rotate(account.member, old.id);
  await call(secret, 'ListAgents');
  expect(totalOf(await usageOf(member, apiKey.id))).toEqual({ allowed: 1, refused: 0 });
  expect(totalOf(await usageOf(member, old.id))).toEqual({ allowed: 0, refused: 0 });
});

test('rotation, monitor: a system that still uses the old key shows in the usage logs', async () => {
  const old = await ayra.create(account.member, web);
  await call(old.secret, 'BeforeRotation');
  const { apiKey } = await ayra.rotate(account.member, old.id);
  await call(old.secret, 'NightlyReport');
  const { nodes } = await requestsOf(member, old.id, { filter: { from: apiKey.createdAt } });
  expect(nodes.map(({ operation }) => operation)).toEqual(['NightlyReport']);
});

test('a revoked key’s requests fail, and are seen to', async () => {
  const { id, secret } = await ayra.create(account.member, web);
  await ayra.revoke(account.member, id, 'COMPROMISED');
  await call(secret, 'ListAgents');
  const filter = { outcome: ['REVOKED'] };
  expect((await requestsOf(member, id, { filter })).nodes).toHaveLength(1);
  expect(totalOf(await usageOf(member, id))).toEqual({ allowed: 0, refused: 1 });
});

describe('an incident', () => {
  test('review API logs: what was accessed with the key, from where, since when', async () => {
    const { id, secret } = await ayra.create(account.member, web);
    await call(secret, 'ListAgents');
    await call(secret, 'ExportContacts');
    const found = async (filter: Record<string, unknown>): Promise<unknown[]> => {
      const { nodes } = await requestsOf(member, id, { filter });
      return nodes.map(({ operation }) => operation);
    };
    const [, first] = (await requestsOf(member, id)).nodes;
    expect(await found({ from: first?.at, ip: '127.0.0.1' })).toEqual([
      'ExportContacts',
      'ListAgents',
    ]);
    expect(await found({ operation: 'ExportContacts', service: 'keyward' })).toHaveLength(1);
    expect(await found({ ip: '203.0.113.7' })).toEqual([]);
  });

  test('the request_ids of suspicious calls lead to the key that made them', async () => {
    const { id, secret } = await ayra.create(account.member, web);
    const requestId = await call(secret, 'ExportContacts');
    const { nodes } = await organizationRequests(member, { filter: { requestId } });
    expect(nodes).toMatchObject([{ requestId, apiKey: { id }, operation: 'ExportContacts' }]);
  });

  test('monitor for ongoing unauthorized activity: refused requests of all keys, newest first', async () => {
    const { id, secret } = await ayra.create(account.member, web);
    await ayra.revoke(account.member, id, 'COMPROMISED');
    const requestId = await call(secret, 'ExportContacts');
    const filter = { outcome: ['REVOKED', 'EXPIRED', 'INSUFFICIENT_SCOPE', 'UNKNOWN'] };
    const { nodes } = await organizationRequests(member, { filter, first: 1 });
    expect(nodes).toMatchObject([{ requestId, apiKey: { id }, outcome: 'REVOKED' }]);
  });
});
