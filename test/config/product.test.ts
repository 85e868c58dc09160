import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { productJsonSchema, readProduct } from '../../src/config-product';

const directory = mkdtempSync(join(tmpdir(), 'keyward-product-'));

function readText(text: string) {
  const path = join(directory, 'product.json');
  writeFileSync(path, text);
  return readProduct(path);
}

test('the published JSON Schema is the one that is checked at start', () => {
  expect(JSON.parse(readFileSync('keyward.schema.json', 'utf8'))).toEqual(productJsonSchema());
});

test('without a file, keys are sk_live_ and sk_test_ with nine scopes, one of them full access', () => {
  const { keys, catalogue } = readProduct(undefined);
  expect(keys).toMatchObject({
    prefix: 'sk',
    showEnvironment: true,
    environments: ['LIVE', 'TEST'],
  });
  expect(catalogue.fullAccess).toBe('admin:full');
  expect(catalogue.names.slice(0, 9)).toEqual([
    'agents:read',
    'conversations:read',
    'contacts:read',
    'analytics:read',
    'agents:write',
    'conversations:write',
    'contacts:write',
    'workflows:write',
    'admin:full',
  ]);
});

test("Keyward's own scopes are in every catalogue, under the product's title where it has one", () => {
  const scope = { name: 'audit_logs:read', title: 'Logs', description: '', group: 'READ' };
  const { catalogue } = readText(JSON.stringify({ scopes: [scope], fullAccessScope: null }));
  expect(catalogue.names).toContain('api_keys:read');
  expect(catalogue.all.filter(({ name }) => name === 'audit_logs:read')).toEqual([scope]);
  expect(catalogue.fullAccess).toBeUndefined();
});

const full = { name: 'everything', title: 'All', description: '', group: 'ADMIN' };

test.each([
  ['is not JSON', '{'],
  ['keys.prefix', '{"keys":{"prefix":"sk_"}}'],
  ['keys', '{"keys":{"prefixx":"sk"}}'],
  ['keys.maxLifetime', '{"keys":{"maxLifetime":"90 days"}}'],
  ['keys.environments', '{"keys":{"environments":[]}}'],
  ['keys.rotationGrace', '{"keys":{"rotationGrace":"a week"}}'],
  ['policy.managedBy', '{"policy":{"managedBy":"OWNER"}}'],
  ['policy.requiredPlan', '{"policy":{"requiredPlan":""}}'],
  ['scopes.0.group', JSON.stringify({ scopes: [{ ...full, group: 'ALL' }] })],
  ['scopes.0.name', JSON.stringify({ scopes: [{ ...full, name: 'two words' }] })],
  ['everything stands', JSON.stringify({ scopes: [full, full], fullAccessScope: 'everything' })],
  ['fullAccessScope', JSON.stringify({ scopes: [full], fullAccessScope: 'all' })],
  ['keys.permissions', '{"fullAccessScope":null,"keys":{"permissions":"full_access"}}'],
  ['services.0', '{"services":["Our Platform"]}'],
  ['services', '{"services":"platform"}'],
])('a mistake is refused by a sentence that names it: %s', (named, text) => {
  expect(() => readText(text)).toThrow(/^KEYWARD_CONFIG: /);
  expect(() => readText(text)).toThrow(named);
});

test('a file that is not there is refused by a sentence that names the setting', () => {
  expect(() => readProduct(join(directory, 'none.json'))).toThrow(
    /^KEYWARD_CONFIG: .*none\.json cannot be read/,
  );
});
