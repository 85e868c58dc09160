import fc from 'fast-check';
import { created, createApiKey, listed, readApiKey, refusal } from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

const badInput = (field: string) => ({ code: 'BAD_USER_INPUT', field });

/** An object that nests this many levels deep. */
function nested(levels: number): Record<string, unknown> {
  return levels === 1 ? {} : { a: nested(levels - 1) };
}

/** Metadata of exactly this many bytes as JSON in UTF-8. */
function metadataOf(bytes: number): Record<string, unknown> {
  return { a: 'é' + 'x'.repeat(bytes - Buffer.byteLength('{"a":"é"}')) };
}

test('a created key shows everything it was given, who made it, and its secret once', async () => {
  const input = {
    name: '  CI/CD Pipeline ',
    description: 'Deploys',
    environment: 'TEST',
    scopes: ['contacts:write', 'contacts:read', 'contacts:write'],
    expiresIn: 'P30D',
    owner: 'Platform',
    application: 'deployer',
    usageLocation: 'eu-west-1',
    tags: ['a', 'b', 'a'],
    metadata: { team: { size: 3, remote: true, lead: null }, list: [1, 'two'] },
  };
  const { apiKey, secret } = await created(keyward, input);
  expect(apiKey).toMatchObject({
    ...{ name: 'CI/CD Pipeline', description: 'Deploys', environment: 'TEST', status: 'ACTIVE' },
    ...{ scopes: ['contacts:write', 'contacts:read'], tags: ['a', 'b'] },
    ...{ owner: 'Platform', application: 'deployer', usageLocation: 'eu-west-1' },
    ...{ metadata: input.metadata, lastUsedAt: null, revocation: null },
    createdBy: { kind: 'API_KEY', displayName: 'API Key: Admin key of the first start' },
    organization: { name: 'default' },
  });
  const [start = '', end = ''] = apiKey.redacted.split('...');
  expect(apiKey.prefix).toMatch(/^sk_test_[0-9A-Za-z]{6}$/);
  expect(start).toBe(apiKey.prefix);
  expect(secret.startsWith(start) && secret.endsWith(end) && end.length === 4).toBe(true);
  expect(Date.parse(String(apiKey.expiresAt)) - Date.parse(apiKey.createdAt)).toBe(30 * 86_400_000);
  expect(await readApiKey(keyward, apiKey.id)).toEqual(apiKey);
});

test('only a name is needed beside the scopes; the rest is empty, LIVE, and for ever', async () => {
  const { apiKey } = await created(keyward, { name: 'Plain' });
  expect(apiKey).toMatchObject({
    ...{ description: null, owner: null, application: null, usageLocation: null },
    ...{ tags: [], metadata: {}, environment: 'LIVE', expiresAt: null },
  });
});

test('the database holds no secret, only its digest under a pepper that the row names', async () => {
  const { apiKey, secret } = await created(keyward);
  const [stored] = await keyward.database.sql<{ row: string; length: number }>(
    'SELECT api_keys::text AS row, length(digest) AS length FROM api_keys WHERE id = $1',
    [apiKey.id],
  );
  expect(stored?.length).toBe(32);
  const bodyOf = secret.slice('sk_live_'.length + 6, -4); // what redacted does not show
  expect(stored?.row).not.toContain(bodyOf);
  expect(stored?.row).not.toContain(Buffer.from(secret).toString('hex'));
});

const atTheBound: readonly (readonly [string, unknown])[] = [
  ['name', 'n'],
  ['name', '🔑'.repeat(100)],
  ['name', `   ${'n'.repeat(100)}   `],
  ['description', '💡'.repeat(500)],
  ['owner', 'o'.repeat(500)],
  ['application', 'a'.repeat(500)],
  ['usageLocation', 'u'.repeat(500)],
  ['tags', Array.from({ length: 20 }, (_, index) => `tag ${index}`.padEnd(50, '.'))],
  ['tags', ['🏷'.repeat(50)]],
  ['metadata', metadataOf(4096)],
  ['metadata', nested(32)],
  ['idempotencyKey', 'i'.repeat(255)],
];
test.each(atTheBound)('%s is accepted at its bound', async (member, value) => {
  const answer = await createApiKey(keyward, { [member]: value });
  expect(answer.errors).toEqual([]);
});

const beyondTheBound: readonly (readonly [field: string, input: Record<string, unknown>])[] = [
  ['input.name', { name: '' }],
  ['input.name', { name: ' \t ' }],
  ['input.name', { name: '🔑'.repeat(101) }],
  ['input.name', { name: 'n'.repeat(100_000) }],
  ['input.description', { description: '💡'.repeat(501) }],
  ['input.owner', { owner: 'o'.repeat(501) }],
  ['input.application', { application: 'a'.repeat(501) }],
  ['input.usageLocation', { usageLocation: 'u'.repeat(501) }],
  ['input.tags', { tags: Array.from({ length: 21 }, (_, index) => `t${index}`) }],
  ['input.tags.1', { tags: ['ok', 't'.repeat(51)] }],
  ['input.tags.0', { tags: [''] }],
  ['input.metadata', { metadata: metadataOf(4097) }],
  ['input.metadata', { metadata: nested(33) }],
  ['input.idempotencyKey', { idempotencyKey: 'i'.repeat(256) }],
  ['input.idempotencyKey', { idempotencyKey: '' }],
  ['input.scopes', { scopes: [] }],
  ['input.scopes', { scopes: null }],
  ['input.scopes.1', { scopes: ['contacts:read', 'Contacts:Read'] }],
  ['input.scopes.0', { scopes: ['contacts:read '] }],
  ['input.scopes.0', { scopes: ['contacts:*'] }],
  ['input.expiresIn', { expiresAt: '2100-01-01T00:00:00Z', expiresIn: 'P1D' }],
  ['input.expiresIn', { expiresIn: 'PT0S' }],
  ['input.expiresIn', { expiresIn: '-P1D' }],
  ['input.expiresIn', { expiresIn: 'P1001Y' }],
  ['input.expiresIn', { expiresIn: 'P1M-30D' }],
  ['input.expiresAt', { expiresAt: '2020-01-01T00:00:00Z' }],
  ['input.expiresAt', { expiresAt: '9999-12-31T23:59:59-12:00' }],
];
test.each(beyondTheBound)('beyond the bound is refused naming %s', async (field, input) => {
  const answer = await createApiKey(keyward, input);
  expect(refusal(answer)).toEqual(badInput(field));
  expect(answer.body.data).toEqual({ createApiKey: null });
});

const unprintable: readonly (readonly [what: string, text: string])[] = [
  ['NUL', 'a\0b'],
  ['a line break', 'a\nb'],
  ['an escape', 'a\u001bb'],
  ['DEL', 'a\u007fb'],
  ['a C1 control character', 'a\u0085b'],
  ['half a surrogate pair', 'a\ud83db'],
];
test.each(unprintable)('%s is refused wherever it stands, naming the place', async (_, text) => {
  const places: readonly (readonly [string, Record<string, unknown>])[] = [
    ['input.name', { name: text }],
    ['input.name', { name: `Name${text.slice(1, 2)}` }],
    ['input.description', { description: text }],
    ['input.owner', { owner: text }],
    ['input.application', { application: text }],
    ['input.usageLocation', { usageLocation: text }],
    ['input.tags.3', { tags: ['a', 'b', 'c', text] }],
    ['input.metadata.a.b', { metadata: { a: { b: text } } }],
    ['input.metadata.list.1.x', { metadata: { list: [0, { x: text }] } }],
    ['input.metadata.a', { metadata: { a: { [text]: 1 } } }],
    ['input.idempotencyKey', { idempotencyKey: text }],
    ['input.scopes.0', { scopes: [text] }],
  ];
  for (const [field, input] of places) {
    expect(refusal(await createApiKey(keyward, input))).toEqual(badInput(field));
  }
});

test('what holds a refused value is not created', async () => {
  const before = await listed(keyward);
  await createApiKey(keyward, { name: 'n\0' });
  await createApiKey(keyward, { scopes: ['nothing:such'] });
  expect((await listed(keyward)).totalCount).toBe(before.totalCount);
});

test('emoji, right-to-left text and markup are kept byte for byte', async () => {
  const text = '👩‍👩‍👧‍👦 مفتاح \u202eמפתח\u202c <b onclick="x">&amp;</b> \'; DROP TABLE x; -- e\u0301 é';
  const { apiKey } = await created(keyward, {
    ...{ name: text, description: text, owner: text, application: text, usageLocation: text },
    ...{ tags: [text.slice(0, 20)], metadata: { [text]: text } },
  });
  const read = await readApiKey(keyward, apiKey.id);
  expect(read).toMatchObject({
    ...{ name: text, description: text, owner: text, application: text, usageLocation: text },
    ...{ tags: [text.slice(0, 20)], metadata: { [text]: text } },
  });
});

test('metadata of any JSON comes back as it was sent', async () => {
  const plain = fc.string({
    unit: fc.constantFrom('a', 'é', '🔑', '"', '\\', '/', ' ', '<'),
    maxLength: 8,
  });
  const json = fc.dictionary(
    plain,
    fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        ...[plain, fc.integer(), fc.boolean(), fc.constant(null)],
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(plain, tie('value'), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).value,
    { maxKeys: 4, noNullPrototype: true },
  );
  await fc.assert(
    fc.asyncProperty(json, async (metadata) => {
      const { apiKey } = await created(keyward, { metadata });
      expect((await readApiKey(keyward, apiKey.id))?.metadata).toEqual(metadata);
    }),
    { numRuns: 40 },
  );
});

test('metadata may have members named like JavaScript’s own', async () => {
  const { data } = await keyward.ask<{ createApiKey: { apiKey: { id: string } } }>(
    `mutation {
       createApiKey(input: {
         name: "n", scopes: ["contacts:read"],
         metadata: { __proto__: { a: 1 }, constructor: "c", toString: "t" }
       }) { apiKey { id } }
     }`,
  );
  const read = await readApiKey(keyward, data.createApiKey.apiKey.id);
  expect(JSON.stringify(read?.metadata)).toBe(
    '{"__proto__":{"a":1},"constructor":"c","toString":"t"}',
  );
});

test('an end may lie in any zone and as far as the year 9999; it is shown in UTC', async () => {
  const ends = [
    ['2100-01-01T01:30:00+02:00', '2099-12-31T23:30:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ];
  for (const [expiresAt, shown] of ends) {
    const { apiKey } = await created(keyward, { expiresAt });
    expect(apiKey.expiresAt).toBe(shown);
    expect((await readApiKey(keyward, apiKey.id))?.expiresAt).toBe(shown);
  }
});

test('an end in calendar units is counted in UTC from the creation', async () => {
  const { apiKey } = await created(keyward, { expiresIn: 'P1Y2M' });
  const end = new Date(apiKey.createdAt);
  end.setUTCMonth(end.getUTCMonth() + 14);
  // Luxon stays in the shorter month where JavaScript runs over into the next.
  expect(Math.abs(end.getTime() - Date.parse(String(apiKey.expiresAt)))).toBeLessThan(
    4 * 86_400_000,
  );
  expect(String(apiKey.expiresAt).slice(10)).toBe(apiKey.createdAt.slice(10));
});
