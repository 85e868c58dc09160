import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type Ending } from '../support/process';

const released = readFileSync('releases/0.1.0/schema.graphql', 'utf8');
const directory = mkdtempSync(join(tmpdir(), 'keyward-release-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Compares the release with itself after one change. */
async function check(before: string, after: string): Promise<Ending> {
  const changed = released.replace(before, after);
  expect(changed).not.toBe(released);
  const path = join(directory, 'schema.graphql');
  writeFileSync(path, changed);
  return run(['releases/check.mjs', path]).ended;
}

const viewer = '  """The person who asks."""\n  user: User\n';

test.each([
  ['a removed field', viewer, '', "Viewer.user: Field 'user' was removed"],
  ['a field of another type', viewer, '  user: String\n', "Viewer.user: Field 'Viewer.user' chang"],
  ['a field that asks for more', viewer, '  user: User @authenticated\n', 'Viewer.user'],
  [
    'a field that asks for another scope',
    '[["audit_logs:read"]]',
    '[["audit_logs:write"]]',
    'Query.auditEvents',
  ],
  ['an input that needs another field', 'input ApiKeyOrder {', '$&\n  then: ID!\n', 'ApiKeyOrder'],
  [
    'an entity that is none any more',
    'type ApiKey\n  @key(fields: "id")',
    'type ApiKey',
    '_Entity',
  ],
])('%s breaks the last release, and it is said what to do', async (_, before, after, named) => {
  const { code, stderr } = await check(before, after);
  expect(code).toBe(1);
  expect(stderr).toContain('schema.graphql breaks what clients of release 0.1.0 rely on:');
  expect(stderr).toContain(named);
  expect(stderr).toContain('Put it back');
});

test.each([
  ['an added field', viewer, `${viewer}  groups: [String!]`],
  ['an added field that asks for a scope', viewer, `${viewer}  groups: Int @authenticated`],
  ['an added enum value', '  COMPROMISED\n', '  COMPROMISED\n  STOLEN\n'],
  ['an added optional input', 'input ApiKeyOrder {', '$&\n  then: ID\n'],
  ['a deprecated field', 'user: User\n', 'user: User @deprecated(reason: "Ask for people.")\n'],
  ['another description', 'The person who asks.', 'Who asks.'],
])('%s does not break the last release', async (_, before, after) => {
  expect(await check(before, after)).toMatchObject({ code: 0, stderr: '', stdout: '' });
});
