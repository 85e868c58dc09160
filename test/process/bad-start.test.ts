import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { withAdministrator } from '../support/databases';
import {
  dataDirectory,
  launch,
  postmasterIn,
  serve,
  testDatabase,
  type Ending,
  type Settings,
} from '../support/process';

jest.setTimeout(60_000);

const KEYWARD_PEPPERS = 'a pepper of thirty-two characters and more';
const unused = 'postgres://nobody:hidden-word@127.0.0.1:1/none';
const directory = dataDirectory();
const isRoot = process.getuid?.() === 0;

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** Starts and expects no start: one sentence in one line, that names what to change. */
async function refusal(settings: Settings): Promise<string> {
  const { code, stdout, stderr } = await endOf(settings);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^keyward: [^\n]+\.\n$/);
  expect(stderr).not.toMatch(/hidden-word|^\s+at |Error:/m);
  expect(code).toBe(1);
  return stderr;
}

async function endOf(settings: Settings): Promise<Ending> {
  return launch(settings).ended;
}

const external = { DATABASE_URL: unused, KEYWARD_PEPPERS };

test.each<[string, RegExp, Settings]>([
  ['a port that is no number', /PORT: .*"http"/, { ...external, PORT: 'http' }],
  ['a port beyond the last', /PORT: .*65535/, { ...external, PORT: '65536' }],
  ['an address of another machine', /KEYWARD_HOST: 192\.0\.2\.1 /, { KEYWARD_HOST: '192.0.2.1' }],
  ['a database nobody answers for', /DATABASE_URL: .*ECONNREFUSED/, external],
  ['a database URL of another kind', /DATABASE_URL: /, { ...external, DATABASE_URL: 'mysql://x' }],
  ['no pepper', /KEYWARD_PEPPERS: .*openssl rand -base64 32/, { DATABASE_URL: unused }],
  ['a short pepper', /KEYWARD_PEPPERS: .*32/, { ...external, KEYWARD_PEPPERS: 'hidden-word' }],
  ['an unknown log level', /KEYWARD_LOG_LEVEL: .*trace/, { KEYWARD_LOG_LEVEL: 'loud' }],
  ['no configuration there', /KEYWARD_CONFIG: .*none\.json/, { KEYWARD_CONFIG: '/none.json' }],
  [
    'a configuration that is not JSON',
    /KEYWARD_CONFIG: .*broken\.json is not JSON/,
    { KEYWARD_CONFIG: file('broken.json', '{\n  "keys": {\n    "prefix": eg\n  }\n}\n') },
  ],
  [
    'a misspelled member',
    /KEYWARD_CONFIG: .*prefixx/,
    { KEYWARD_CONFIG: file('wrong.json', '{ "keys": { "prefixx": "eg" } }') },
  ],
  [
    'a data directory below a file',
    /KEYWARD_DATA_DIR/,
    { KEYWARD_DATA_DIR: join(file('a-file', ''), 'below') },
  ],
])('refused in one sentence: %s', async (_what, sentence, settings) => {
  expect(await refusal({ KEYWARD_DATA_DIR: join(directory, 'data'), ...settings })).toMatch(
    sentence,
  );
});

if (isRoot) process.stderr.write('skipped, a folder one may not write: root may write in all\n');
(isRoot ? test.skip : test)('refused in one sentence: a folder one may not write', async () => {
  const closed = dataDirectory();
  chmodSync(closed, 0o555);
  expect(await refusal({ KEYWARD_DATA_DIR: closed })).toMatch(/KEYWARD_DATA_DIR/);
});

async function letsIn(url: string): Promise<boolean> {
  return withAdministrator(url, async () => Promise.resolve(true)).catch(() => false);
}

test('refused in one sentence, without the password: a wrong database password', async () => {
  const database = await testDatabase();
  const url = new URL(database.url);
  url.password = 'hidden-word';
  if (await letsIn(url.href)) {
    process.stderr.write('skipped, a wrong password: the server of DATABASE_URL asks for none\n');
    return;
  }
  expect(await refusal({ DATABASE_URL: url.href, KEYWARD_PEPPERS })).toMatch(
    /DATABASE_URL: .*password authentication failed/,
  );
});

test('refused in one sentence: a database that is not there', async () => {
  const database = await testDatabase();
  const url = new URL(database.url);
  url.pathname = '/keyward_is_not_here';
  expect(await refusal({ DATABASE_URL: url.href, KEYWARD_PEPPERS })).toMatch(
    /DATABASE_URL: .*keyward_is_not_here/,
  );
});

test.each(['an empty', 'a migrated'])(
  'refused in one sentence: %s database that is read-only, and nothing is used up',
  async (kind) => {
    const database = await testDatabase();
    const settings = { DATABASE_URL: database.url, KEYWARD_PEPPERS };
    if (kind === 'an empty') await database.sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    const name = new URL(database.url).pathname.slice(1);
    await database.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    expect(await refusal(settings)).toMatch(/DATABASE_URL: .*read-only/);
    await database.sql(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    expect((await serve(settings)).adminKey).toBeDefined();
  },
);

test('refused in one sentence: a database user who may not make tables', async () => {
  const database = await testDatabase();
  await database.sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  const url = new URL(database.url);
  url.username = `keyward_guest_${randomBytes(6).toString('hex')}`;
  url.password = 'hidden-word';
  await database.sql(`CREATE ROLE ${url.username} LOGIN PASSWORD '${url.password}'`);
  await database.sql(`GRANT USAGE ON SCHEMA public TO ${url.username}`);
  const sentence = await refusal({ DATABASE_URL: url.href, KEYWARD_PEPPERS });
  await database.sql(`DROP OWNED BY ${url.username}; DROP ROLE ${url.username}`);
  expect(sentence).toMatch(/DATABASE_URL: .*permission denied/);
});

test('a start on a taken port is refused in one sentence and does not use up the first admin key', async () => {
  const database = await testDatabase();
  const taken = await listen();
  const { port } = taken.address() as AddressInfo; // it listens on TCP
  const settings = { DATABASE_URL: database.url, KEYWARD_PEPPERS };
  expect(await refusal({ ...settings, PORT: String(port) })).toMatch(`PORT: ${port} is in use`);
  taken.close();
  expect((await serve(settings)).adminKey).toBeDefined();
});

test('a start that fails lets go of the embedded database it has started', async () => {
  const taken = await listen();
  const { port } = taken.address() as AddressInfo; // it listens on TCP
  const KEYWARD_DATA_DIR = dataDirectory();
  expect(await refusal({ KEYWARD_DATA_DIR, PORT: String(port) })).toMatch('PORT');
  expect(postmasterIn(KEYWARD_DATA_DIR)).toBeUndefined();
  taken.close();
  expect((await serve({ KEYWARD_DATA_DIR })).adminKey).toBeDefined();
});

async function listen(): Promise<TcpServer> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
  });
}
