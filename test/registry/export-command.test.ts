import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCsvTable } from '../support/csv';
import { startTestKeyward, testPepper, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';
import { dataDirectory, keyward as command, type Ending } from '../support/process';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

const folder = dataDirectory();

function settings(): Record<string, string> {
  return { DATABASE_URL: keyward.database.url, KEYWARD_PEPPERS: testPepper };
}

async function exportKeys(...options: string[]): Promise<Ending> {
  return command(['keys', 'export', ...options], settings());
}

test('keys export prints CSV, or JSON, of the organization it is told', async () => {
  const { id } = await keyward.createKey({ name: 'Café, "Zürich"' });
  const other = await createOrganization(keyward, 'Another');
  const foreign = await other.createKey();
  const csv = await exportKeys();
  expect(csv).toMatchObject({ code: 0, stderr: '' });
  expect(parseCsvTable(csv.stdout)).toEqual([
    expect.objectContaining({ name: 'Admin key of the first start' }),
    expect.objectContaining({ id, name: 'Café, "Zürich"' }),
  ]);
  const json = await exportKeys('--format', 'json', '--organization', 'another');
  expect(json).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(json.stdout)).toEqual([expect.objectContaining({ id: foreign.id })]);
  expect(await exportKeys('--json', '--organization', 'another')).toEqual(json);
});

test('an organization without keys has an empty registry that is still whole', async () => {
  await createOrganization(keyward, 'Empty');
  const csv = await exportKeys('--organization', 'empty');
  expect(csv.stdout).toMatch(/^name,redacted,[^\n]*\r\n$/);
  expect((await exportKeys('--organization', 'empty', '--format', 'json')).stdout).toBe('[]\n');
});

test('--output writes a file; one that cannot be written is one sentence and exit code 1', async () => {
  const file = join(folder, 'registry.csv');
  expect(await exportKeys('--output', file)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect(parseCsvTable(readFileSync(file, 'utf8')).length).toBeGreaterThan(0);
  const missing = join(folder, 'missing', 'registry.csv');
  const refused = await exportKeys('--output', missing);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^keyward: \S+ cannot be written \(ENOENT[^\n]*\n$/);
  expect(existsSync(missing)).toBe(false);
});

test('an unknown organization or format is one sentence and exit code 1', async () => {
  const unknown = await exportKeys('--organization', 'nobody');
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toMatch(/^keyward: There is no organization "nobody"/);
  expect(await exportKeys('--format', 'xml')).toMatchObject({ code: 1, stdout: '' });
});

test('a reader that has read enough, as head does, is no error', async () => {
  const child = spawn('/bin/sh', ['-c', 'node bin/keyward.js keys export; echo "left $?" >&2'], {
    cwd: join(__dirname, '..', '..'),
    env: { PATH: process.env.PATH, ...settings() },
  });
  child.stdout.destroy();
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  await once(child, 'close');
  expect(errors).toBe('left 0\n');
});
