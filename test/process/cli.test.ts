import { readFileSync } from 'node:fs';
import { graphql } from '../support/http';
import { dataDirectory, keyward, postmasterIn, serve, testDatabase } from '../support/process';

jest.setTimeout(60_000);

interface CreatedKey {
  readonly id: string;
  readonly environment: string;
  readonly scopes: readonly string[];
  readonly expiresAt: string;
  readonly secret: string;
}

const createKey = [
  ...['keys', 'create', '--organization', 'acme-inc', '--name', 'CI/CD Pipeline'],
  ...['--scope', 'contacts:read', '--scope', 'contacts:write'],
  ...['--environment', 'test', '--expires-in', 'P30D', '--json'],
  ...['--description', 'Deploys', '--owner', 'Platform', '--application', 'deployer'],
  ...['--usage-location', 'eu-west-1', '--tag', 'ci', '--tag', 'eu'],
];

test('commands work on an embedded database that no server runs on, and leave none running', async () => {
  const KEYWARD_DATA_DIR = dataDirectory();
  const settings = { KEYWARD_DATA_DIR };
  const organization = await keyward(['organizations', 'create', '--name', 'Acme Inc.'], settings);
  expect(organization).toMatchObject({ code: 0, stderr: '' });
  expect(organization.stdout).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\n$/);
  const { code, stdout, stderr } = await keyward(createKey, settings);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(postmasterIn(KEYWARD_DATA_DIR)).toBeUndefined();

  const created = JSON.parse(stdout) as CreatedKey; // as --json promises
  expect(created).toMatchObject({
    name: 'CI/CD Pipeline',
    organizationId: organization.stdout.trim(),
    environment: 'TEST',
    scopes: ['contacts:read', 'contacts:write'],
    secret: expect.stringMatching(/^sk_test_\w{39}$/) as unknown,
  });
  const lifetimeMs = Date.parse(created.expiresAt) - Date.now();
  expect(Math.abs(lifetimeMs - 30 * 24 * 3_600_000)).toBeLessThan(60_000);

  const server = await serve(settings);
  expect(server.adminKey).toBeDefined(); // commands do not use up the first start
  expect(await scopesOf(server.url, created.secret)).toEqual(['contacts:read', 'contacts:write']);
  const labels = '{ viewer { apiKey { description owner application usageLocation tags } } }';
  expect((await graphql(server.url, { query: labels }, { key: created.secret })).data).toEqual({
    viewer: {
      apiKey: {
        ...{ description: 'Deploys', owner: 'Platform', application: 'deployer' },
        ...{ usageLocation: 'eu-west-1', tags: ['ci', 'eu'] },
      },
    },
  });
});

test('commands work on the embedded database of a running server, which goes on', async () => {
  const KEYWARD_DATA_DIR = dataDirectory();
  const server = await serve({ KEYWARD_DATA_DIR });
  const postmaster = postmasterIn(KEYWARD_DATA_DIR);
  const { code, stdout } = await keyward(
    ['keys', 'create', '--name', 'Beside the server', '--scope', 'contacts:read'],
    { KEYWARD_DATA_DIR },
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/^sk_live_\w{39}\n$/);
  expect(await scopesOf(server.url, stdout.trim())).toEqual(['contacts:read']);
  expect(postmasterIn(KEYWARD_DATA_DIR)).toBe(postmaster);
});

test('migrate is idempotent and says what it did', async () => {
  const database = await testDatabase();
  await database.sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  const settings = {
    DATABASE_URL: database.url,
    KEYWARD_PEPPERS: 'a pepper of thirty-two characters and more',
  };
  const first = await keyward(['migrate'], settings);
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/^Migrated: \w+(, \w+)*\.\n$/);
  const second = await keyward(['migrate'], settings);
  expect(second).toMatchObject({ code: 0, stderr: '', stdout: 'Nothing to migrate.\n' });
});

test('schema prints schema.graphql and needs neither settings nor database', async () => {
  const { code, stdout } = await keyward(['schema']);
  expect(code).toBe(0);
  expect(stdout).toBe(readFileSync('schema.graphql', 'utf8'));
});

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await keyward(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
});

test('--help teaches: every command, and examples that can be run', async () => {
  const { code, stdout } = await keyward(['--help']);
  expect(code).toBe(0);
  for (const word of ['serve', 'migrate', 'organizations', 'keys', 'schema', 'DATABASE_URL']) {
    expect(stdout).toContain(word);
  }
  expect(stdout).toMatch(/\$ keyward keys create .*--name/);
  for (const command of [
    ['keys', 'create'],
    ['organizations', 'create'],
  ]) {
    const help = await keyward([...command, '--help']);
    expect(help.stdout).toMatch(/Example:\n +\$ keyward /);
  }
});

test.each<[string, readonly string[], RegExp]>([
  ['an unknown organization', ['--organization', 'nobody', '--name', 'K'], /organization "nobody"/],
  [
    'an unknown scope',
    ['--name', 'K', '--scope', 'contacts:read', '--scope', 'fly'],
    /--scope number 2/,
  ],
  ['a tag', ['--name', 'K', '--scope', 'contacts:read', '--tag', ''], /--tag number 1/],
  ['no scope', ['--name', 'K'], /scope/],
  ['no name', ['--scope', 'contacts:read'], /--name/],
  ['an environment', ['--name', 'K', '--environment', 'staging'], /live.*test/],
  ['a duration', ['--name', 'K', '--scope', 'contacts:read', '--expires-in', '30 days'], /P90D/],
])('a mistake is one sentence and fails: %s', async (_what, args, sentence) => {
  const { database, settings } = await ready();
  const before = await database.sql('SELECT FROM api_keys');
  const { code, stdout, stderr } = await keyward(['keys', 'create', ...args], settings);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr.replace('(keyward --help tells more)\n', '').trim().split('\n')).toHaveLength(1);
  expect(await database.sql('SELECT FROM api_keys')).toHaveLength(before.length);
});

async function ready() {
  const database = await testDatabase();
  const settings = {
    DATABASE_URL: database.url,
    KEYWARD_PEPPERS: 'a pepper of thirty-two characters and more',
  };
  await keyward(['organizations', 'create', '--name', 'default'], settings);
  return { database, settings };
}

async function scopesOf(url: string, key: string): Promise<readonly string[]> {
  const { data } = await graphql<{ viewer: { scopes: string[] } }>(
    url,
    { query: '{ viewer { scopes } }' },
    { key },
  );
  return data.viewer.scopes;
}
