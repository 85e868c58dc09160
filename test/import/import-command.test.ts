import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { graphql } from '../support/http';
import { acceptingImports, oldKey, type OldKey } from '../support/imports';
import { startTestKeyward, testPepper, type TestKeyward } from '../support/keyward';
import { dataDirectory, keyward as command, run, until, type Ending } from '../support/process';

jest.setTimeout(60_000);

const product = acceptingImports();
const folder = dataDirectory();
let keyward: TestKeyward;
beforeEach(async () => {
  keyward = await startTestKeyward(product);
});
afterEach(async () => keyward.stop());

function settings(): Record<string, string> {
  return { DATABASE_URL: keyward.database.url, KEYWARD_PEPPERS: testPepper, ...product };
}

function file(text: string | Buffer): string {
  const path = join(folder, 'keys.jsonl');
  writeFileSync(path, text);
  return path;
}

function lines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

function row({ digest }: OldKey, name = 'Old key'): object {
  return { digest, name, scopes: ['contacts:read'], prefix: 'legacy-' };
}

async function importFile(path: string, ...options: string[]): Promise<Ending> {
  return command(['keys', 'import', path, ...options], settings());
}

async function status({ secret }: OldKey): Promise<number> {
  const answer = await graphql(keyward.url, { query: '{ viewer { kind } }' }, { key: secret });
  return answer.status;
}

test('keys import tells what became of each row, exits with 1 when one was refused, and the keys work', async () => {
  const [one, two] = [oldKey(), oldKey('base64url')];
  const path = file(lines([row(one, 'One'), { ...row(one), name: '' }, row(two, 'Two')]));
  const dry = await importFile(path, '--dry-run');
  expect(dry).toMatchObject({ code: 1, stderr: '' });
  expect(dry.stdout).toMatch(
    /^row 1: importable: One \(legacy-\.\.\.\)\nrow 2: refused: name must/,
  );
  expect(await status(one)).toBe(401);
  const first = await importFile(path);
  expect(first).toMatchObject({ code: 1, stderr: '' });
  expect(first.stdout.replaceAll(/[0-9a-f]{8}-[-0-9a-f]{27}/g, '<id>').split('\n')).toEqual([
    'row 1: imported as <id>: One (legacy-...)',
    'row 2: refused: name must not be empty.',
    'row 3: imported as <id>: Two (legacy-...)',
    '2 imported, 0 already there, 1 refused.',
    '',
  ]);
  for (const key of [one, two]) {
    expect(await status(key)).toBe(200);
    const bytes = createHash('sha256').update(key.secret).digest();
    for (const told of [dry, first].map(({ stdout }) => stdout)) {
      for (const kept of [key.secret, bytes.toString('hex'), bytes.toString('base64url')]) {
        expect(told).not.toContain(kept);
      }
    }
  }
  const again = await importFile(file(lines([row(one), row(two)])), '--json');
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(
    again.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { row: 1, result: 'already there', apiKey: { id: expect.any(String) as unknown } },
    { row: 2, result: 'already there', apiKey: { id: expect.any(String) as unknown } },
  ]);
});

test('a file may be one JSON array, begin with a byte order mark, and have empty lines', async () => {
  const array = file(`\ufeff\n${JSON.stringify([row(oldKey()), row(oldKey())], null, 2)}\n`);
  expect((await importFile(array)).stdout).toMatch(/\n2 imported, 0 already there, 0 refused\.\n$/);
  const sparse = file(`\ufeff${lines([row(oldKey())])}\r\n\n${lines([row(oldKey())])}`);
  const { stdout } = await importFile(sparse);
  expect(stdout).toMatch(/^row 1: imported[^\n]*\nrow 4: imported/);
});

test('the row that the README shows can be imported as it stands there', async () => {
  const [, shown = ''] =
    /```text\n *(\{"digest".*)\n/.exec(readFileSync('README.md', 'utf8')) ?? [];
  const { stdout } = await importFile(file(shown));
  expect(stdout).toMatch(
    /^row 1: imported as \S+: CI\/CD Pipeline \(old_live_7\.\.\.k2Qx\)\n1 imported/,
  );
});

/** Runs a line of shell in which `$path` is the file. */
function shell(line: string, path: string): ChildProcess {
  const { PATH } = process.env;
  return spawn('/bin/sh', ['-c', line], { env: { PATH, path, ...settings() } });
}

test.each([
  ['lines', lines],
  ['an array', (rows: readonly unknown[]) => JSON.stringify(rows, null, 2)],
])('a file may come through a pipe: %s', async (_, write) => {
  const keys = [oldKey(), oldKey()];
  const path = file(write(keys.map((key) => row(key))));
  const line = 'cat "$path" | node bin/keyward.js keys import /dev/stdin';
  expect(await once(shell(line, path), 'close')).toEqual([0, null]);
  expect(await Promise.all(keys.map(status))).toEqual([200, 200]);
});

test('when nobody reads any more, as head does, the import is done to its end without a word', async () => {
  const keys = Array.from({ length: 250 }, () => oldKey());
  const path = file(lines(keys.map((key) => row(key))));
  const child = shell('node bin/keyward.js keys import "$path"; echo "left $?" >&2', path);
  child.stdout?.destroy();
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  await once(child, 'close');
  expect(errors).toBe('left 0\n');
  const [last] = keys.slice(-1);
  expect(last && (await status(last))).toBe(200);
});

test('lines that are no JSON, or no UTF-8, are refused by their numbers and not quoted', async () => {
  const key = oldKey();
  const broken = JSON.stringify(row(key)).slice(0, -1);
  const latin = Buffer.from(`${JSON.stringify({ ...row(key), name: 'Café' })}\n`, 'latin1');
  const path = file(
    Buffer.concat([Buffer.from(`${broken}\n`), latin, Buffer.from(lines([row(key)]))]),
  );
  const { code, stdout, stderr } = await importFile(path);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(stdout).toMatch(
    /^row 1: refused: the row is not JSON\.\nrow 2: refused: the row is not UTF-8\.\nrow 3: imported/,
  );
  expect(stdout).not.toContain(key.digest);
});

test.each([
  [
    'a missing file',
    () => join(folder, 'missing'),
    /^keyward: \S+ cannot be read \(ENOENT[^\n]*\n$/,
  ],
  ['a folder', () => folder, /^keyward: \S+ cannot be read \(EISDIR[^\n]*\n$/],
  ['an array cut short', () => file('[{"digest": "abc"'), /^keyward: \S+ is not JSON\.\n$/],
])('%s is one sentence and exit code 1', async (_, path, sentence) => {
  const { code, stdout, stderr } = await importFile(path());
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(sentence);
});

test('a product that does not accept imported keys is told how to', async () => {
  const path = file(lines([row(oldKey())]));
  const refused = await command(['keys', 'import', path], { ...settings(), KEYWARD_CONFIG: '' });
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^keyward: This product [^\n]*Set keys\.acceptImported to true/);
});

test('after kill -9 every row that was told of is there, and running it again imports the rest', async () => {
  const keys = Array.from({ length: 1_000 }, () => oldKey());
  const path = file(lines(keys.map((key) => row(key))));
  const killed = run(['bin/keyward.js', 'keys', 'import', path], settings());
  await until('some rows are imported', () => killed.stdout.includes('row 150: imported'));
  killed.signal('SIGKILL');
  const { stdout: before } = await killed.ended;
  const told = [...before.matchAll(/^row (\d+): imported as/gm)].map(([, number]) =>
    Number(number),
  );
  const again = await importFile(path, '--json');
  expect(again.code).toBe(0);
  const results = again.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { row: number; result: string });
  expect(results).toHaveLength(1_000);
  const there = new Set(
    results.filter(({ result }) => result === 'already there').map(({ row: number }) => number),
  );
  expect(told.filter((number) => !there.has(number))).toEqual([]);
  const rows = await keyward.database.sql<{ keys: number; imports: number; events: number }>(
    `SELECT (SELECT count(*)::int FROM api_keys) - 1 AS keys,
       (SELECT count(*)::int FROM api_key_imports) AS imports,
       (SELECT count(*)::int FROM audit_events WHERE action = 'api_key.imported') AS events`,
  );
  expect(rows).toEqual([{ keys: 1_000, imports: 1_000, events: 1_000 }]);
  for (const key of [keys[0], keys[999]]) expect(key && (await status(key))).toBe(200);
});
