import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graphql } from './support/http';
import { startTestKeyward, type TestKeyward } from './support/keyward';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

/** A request as the README shows it with curl, and the answer it shows. */
function example(heading: string): { query: string; answer: string } {
  const readme = readFileSync('README.md', 'utf8');
  const section = readme.slice(readme.indexOf(`## ${heading}`));
  const query = /-d '(\{.*\})'/.exec(section)?.[1];
  const answer = /```json\n([\s\S]*?)```/.exec(section)?.[1];
  if (query === undefined || answer === undefined) throw new Error(`no example: ${heading}`);
  return { query, answer: JSON.stringify(JSON.parse(answer)) };
}

/** The request that curl sends. */
function requestOf(body: string): { query: string; variables?: Record<string, unknown> } {
  return JSON.parse(body) as { query: string }; // the README says so
}

/** The text without what differs each time: ids, instants, and the random parts of keys. */
function timeless(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT')
    .replaceAll(/sk_live_[0-9A-Za-z]{6}\.{3}[0-9A-Za-z]{4}/g, 'REDACTED')
    .replaceAll(/sk_live_[0-9A-Za-z]{6}(?:…[0-9A-Za-z]{4}|[0-9A-Za-z]{33})/g, 'KEY'); // the README shortens
}

test.each(['A first query', 'A first key'])(
  'the README shows what really happens: %s',
  async (heading) => {
    const { query, answer } = example(heading);
    const real = await graphql(keyward.url, requestOf(query), { key: keyward.adminKey });
    expect(timeless(real.text.trim())).toBe(timeless(answer));
  },
);

test('the README shows what really happens: A first refusal', async () => {
  const { secret } = await keyward.createKey({ scopes: ['contacts:read'] });
  const { query, answer } = example('A first refusal');
  const real = await graphql(keyward.url, requestOf(query), { key: secret });
  expect(timeless(real.text.trim())).toBe(timeless(answer));
  expect(real.status).toBe(403);
});

test('the README shows what really happens: Keys at your other services', async () => {
  const { secret } = await keyward.createKey({ name: 'CI/CD Pipeline' });
  const { query, answer } = example('Keys at your other services');
  const shown = requestOf(query.replace('sk_live_4HAtgq…', secret));
  const real = await graphql(keyward.url, shown, { key: keyward.adminKey });
  expect(timeless(real.text.trim())).toBe(timeless(answer));
});

test('the README shows what really happens: Usage', async () => {
  const { secret } = await keyward.createKey({ name: 'CI/CD Pipeline' });
  await graphql(keyward.url, { query: '{ apiKeys { totalCount } }' }, { key: secret });
  const { query, answer } = example('Usage');
  const real = await graphql(keyward.url, requestOf(query), { key: keyward.adminKey });
  expect(timeless(real.text.trim())).toBe(timeless(answer));
});

test('the configuration that the README shows can be used', async () => {
  const readme = readFileSync('README.md', 'utf8');
  const section = readme.slice(readme.indexOf("## Your product's keys"));
  const shown = /```json\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  const path = join(mkdtempSync(join(tmpdir(), 'keyward-readme-')), 'product.json');
  writeFileSync(path, shown);
  const acme = await startTestKeyward({ KEYWARD_CONFIG: path });
  const { secret } = await acme.createKey({ scopes: ['orders:read'], expiresIn: 'P30D' });
  expect(secret).toMatch(/^acme_live_\w{39}$/);
  await acme.stop();
});
