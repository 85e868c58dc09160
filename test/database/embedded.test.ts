import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { appendFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../src/database/embedded';
import { EmbeddedDatabaseError } from '../../src/database/embedded-error';
import { cleanUp, familyOf, killAll, newFolder } from './embedded-process';
import {
  newProgramFolder,
  type Peer,
  postmasterPid,
  startPeer,
  startZombie,
} from './embedded-process';

jest.setTimeout(60_000);

let programs: string;
beforeAll(() => (programs = newProgramFolder()));
afterAll(cleanUp);

const newDirectory = () => join(newFolder(), 'data');
const peer = (directory: string): Peer => startPeer(programs, directory);
const isRunning = (directory: string) => familyOf(directory).length > 0;

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition.toString()}`);
    await sleep(2);
  }
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function withDatabase<T>(
  directory: string,
  use: (database: EmbeddedDatabase) => Promise<T>,
): Promise<T> {
  const database = await startEmbeddedDatabase({ directory });
  try {
    return await use(database);
  } finally {
    await database.stop();
  }
}

async function insertRow(url: string): Promise<void> {
  await query(url, 'CREATE TABLE IF NOT EXISTS kept (id int); INSERT INTO kept VALUES (1)');
}

async function countRows(url: string): Promise<unknown> {
  return (await query(url, 'SELECT count(*)::int AS n FROM kept'))[0]?.n;
}

async function failure(directory: string): Promise<string> {
  const error: unknown = await startEmbeddedDatabase({ directory }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(EmbeddedDatabaseError);
  return (error as EmbeddedDatabaseError).message;
}

describe('one process', () => {
  test('starts a new database, and an existing one with its rows', async () => {
    const directory = newDirectory();
    await withDatabase(directory, async ({ url }) => insertRow(url));
    await withDatabase(directory, async ({ url }) => expect(await countRows(url)).toBe(1));
    await until(() => !isRunning(directory));
  });

  test('writes durably, listens on 127.0.0.1 only, and asks every connection for the password', async () => {
    await withDatabase(newDirectory(), async ({ url }) => {
      const settings = await query(url, 'SELECT name, setting FROM pg_settings');
      expect(Object.fromEntries(settings.map((row) => [row.name, row.setting]))).toMatchObject({
        fsync: 'on',
        synchronous_commit: 'on',
        full_page_writes: 'on',
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        max_connections: '200',
        server_encoding: 'UTF8',
        TimeZone: 'UTC',
      });
      const methods = await query(url, 'SELECT DISTINCT auth_method FROM pg_hba_file_rules');
      expect(methods).toEqual([{ auth_method: 'scram-sha-256' }]);
      const intruder = url.replace(/:[^:@]*@/, ':wrong@');
      await expect(query(intruder, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
      expect(await query(url, "SELECT upper('é') AS up")).toEqual([{ up: 'É' }]);
    });
  });

  test('shows the password in no argument, log or error, and to no other user', async () => {
    const directory = newDirectory();
    const seen = new Set<string>();
    const watch = setInterval(() => {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        for (const file of ['cmdline', 'environ']) {
          try {
            seen.add(readFileSync(`/proc/${pid}/${file}`, 'utf8'));
          } catch {
            // It has ended meanwhile.
          }
        }
      }
    }, 5);
    const password = await withDatabase(directory, async ({ url }) => new URL(url).password);
    clearInterval(watch);
    expect(password).toMatch(/^[\w-]{32}$/);
    expect([...seen].some((text) => text.includes('initdb'))).toBe(true);
    expect([...seen].filter((text) => text.includes(password))).toEqual([]);
    expect(await readFile(join(directory, 'postgres', 'server.log'), 'utf8')).not.toContain(
      password,
    );
    const { mode, uid } = await stat(join(directory, 'password'));
    expect([mode & 0o777, uid]).toEqual([0o600, process.getuid?.()]);
    expect(readdirSync(join(directory, 'postgres')).sort()).toEqual(['data', 'server.log']);
  });

  test('keeps a secret that every process finds again, for its own user only', async () => {
    const directory = newDirectory();
    await withDatabase(directory, async ({ secret }) => {
      const made = Array.from({ length: 20 }, async (_, n) => secret('pepper', () => `made-${n}`));
      const paths = new Set(await Promise.all(made));
      expect([...paths]).toEqual([join(directory, 'pepper')]);
      const text = await readFile(join(directory, 'pepper'), 'utf8');
      expect(await readFile(await secret('pepper', () => 'late'), 'utf8')).toBe(text);
      const { mode, uid } = await stat(join(directory, 'pepper'));
      expect([mode & 0o777, uid]).toEqual([0o600, process.getuid?.()]);
      await expect(secret('../pepper', () => '')).rejects.toThrow(EmbeddedDatabaseError);
      expect(readdirSync(directory).sort()).toEqual(['password', 'pepper', 'postgres']);
    });
  });

  test('may stop twice, and when the server is gone', async () => {
    const directory = newDirectory();
    const database = await startEmbeddedDatabase({ directory });
    killAll([postmasterPid(directory)]);
    await until(() => !isRunning(directory));
    await database.stop();
    await database.stop();
  });

  test('still counts after its connection was cut', async () => {
    const directory = newDirectory();
    const [one, other] = [await startEmbeddedDatabase({ directory }), peer(directory)];
    await other.started;
    const holds = "FROM pg_stat_activity WHERE application_name LIKE 'keyward hold of process %'";
    await query(one.url, `SELECT pg_terminate_backend(pid, 30000) ${holds}`); // until they are gone
    for (let n = 0; n !== 2; n = (await query(one.url, `SELECT ${holds}`)).length) await sleep(20);
    await one.stop();
    expect(isRunning(directory)).toBe(true);
    await other.stop();
    await until(() => !isRunning(directory));
  });

  test('tries another port when the one it found has been taken meanwhile', async () => {
    const directory = newDirectory();
    const before = `
      const net = require('node:net');
      const { createServer } = net;
      net.createServer = () => {
        net.createServer = createServer;
        const server = createServer();
        server.close = (done) => done(); // keeps the port
        return server;
      };`;
    const one = startPeer(programs, directory, { before });
    await insertRow((await one.started).url);
    const log = await readFile(join(directory, 'postgres', 'server.log'), 'utf8');
    expect(log).toContain('Address already in use');
    await one.stop();
  });
});

describe('several processes', () => {
  test('share one server, and only the last that lets go stops it', async () => {
    const directory = newDirectory();
    const first = peer(directory);
    const { url } = await first.started;
    const second = peer(directory);
    expect((await second.started).url).toBe(url);
    await first.stop();
    await insertRow(url);
    await second.stop();
    await until(() => !isRunning(directory));
  });

  test('may all do the very first start at once, and agree on server and secrets', async () => {
    const directory = newDirectory();
    const peers = [peer(directory), peer(directory), peer(directory), peer(directory)];
    const started = await Promise.all(peers.map(async (one) => one.started));
    expect(new Set(started.map(({ url }) => url)).size).toBe(1);
    await Promise.all(peers.map(async (one) => one.stop()));
    await until(() => !isRunning(directory));
    expect(readdirSync(join(directory, 'postgres')).sort()).toEqual(['data', 'server.log']);
  });

  test('may come in the very moment in which the last one goes', async () => {
    const directory = newDirectory();
    let current = peer(directory);
    await current.started;
    for (let round = 0; round < 8; round += 1) {
      // A new process needs some 60 ms until it looks; stopping takes about as long.
      const next = round % 2 === 0 ? peer(directory) : undefined;
      if (next !== undefined) await sleep(20 * round);
      const stopped = current.stop();
      current = next ?? peer(directory);
      await stopped;
      await insertRow((await current.started).url);
    }
    await current.stop();
    await until(() => !isRunning(directory));
  });

  test('do not wait for one that was killed', async () => {
    const directory = newDirectory();
    const [killed, last] = [peer(directory), peer(directory)];
    await Promise.all([killed.started, last.started]);
    await killed.kill();
    await last.stop();
    await until(() => !isRunning(directory));
  });

  test('do not wait for one that was killed, though PostgreSQL has yet to notice', async () => {
    const directory = newDirectory();
    const [killed, last] = [peer(directory), peer(directory)];
    const [{ url }] = await Promise.all([killed.started, last.started]);
    const backendOf = async (process: Peer): Promise<number> => {
      const name = `keyward hold of process ${process.pid}`;
      const backends = `SELECT pid FROM pg_stat_activity WHERE application_name = '${name}'`;
      return Number((await query(url, backends))[0]?.pid);
    };
    const [ofKilled, ofLast] = [await backendOf(killed), await backendOf(last)];
    process.kill(ofKilled, 'SIGSTOP');
    await killed.kill();
    const stopped = last.stop();
    const locks = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = ${ofLast}`;
    while ((await query(url, locks)).length > 0) await sleep(2);
    process.kill(ofKilled, 'SIGCONT');
    await stopped;
    await until(() => !isRunning(directory));
  });

  test("keep their server when Ctrl-C at the terminal ends one process's group", async () => {
    const directory = newDirectory();
    const [interrupted, other] = [peer(directory), peer(directory)];
    const { url } = await interrupted.started;
    await other.started;
    expect(await interrupted.interrupt()).toBe('interrupted');
    await insertRow(url);
    expect(await other.interrupt()).toBe('interrupted');
    // PostgreSQL says so only after it has removed the file whose end is waited for.
    const log = () => readFileSync(join(directory, 'postgres', 'server.log'), 'utf8');
    await until(() => log().endsWith('database system is shut down\n'));
  });
});

describe('after an accident', () => {
  test('a server that outlived a killed Node is adopted', async () => {
    const directory = newDirectory();
    const killed = peer(directory);
    const { url } = await killed.started;
    await killed.kill();
    const pid = postmasterPid(directory);
    await withDatabase(directory, async (database) => {
      expect(database.url).toBe(url);
      expect(postmasterPid(directory)).toBe(pid);
    });
    await until(() => !isRunning(directory));
  });

  test('a killed server is started again with every acknowledged row', async () => {
    const directory = newDirectory();
    const killed = peer(directory);
    await insertRow((await killed.started).url);
    killAll([killed.pid, ...familyOf(directory)]);
    await until(() => !isRunning(directory));
    expect(existsSync(join(directory, 'postgres', 'data', 'postmaster.pid'))).toBe(true);
    await withDatabase(directory, async ({ url }) => expect(await countRows(url)).toBe(1));
  });

  test.each([
    ['belong to another process today', async () => process.pid],
    ['be that of a process whose end nobody has noticed', startZombie],
  ])("a killed server's process id may %s", async (_, findPid) => {
    const directory = newDirectory();
    await withDatabase(directory, async ({ url }) => insertRow(url));
    const data = join(directory, 'postgres', 'data');
    const stale = [await findPid(), data, 1, 5432, '', '127.0.0.1', '', 'ready   ', ''];
    await writeFile(join(data, 'postmaster.pid'), stale.join('\n'));
    await withDatabase(directory, async ({ url }) => expect(await countRows(url)).toBe(1));
  });

  test('a first start that was killed half-way is done again', async () => {
    const directory = newDirectory();
    const cluster = join(directory, 'postgres');
    const drafts = () => (existsSync(cluster) ? readdirSync(cluster) : []).filter(isDraft);
    const isDraft = (name: string) => /^draft-\d+-[0-9a-f]+$/.test(name);
    // It never hears that initdb has ended, or a busy machine might kill it too late.
    const before = `
      const processes = require('node:child_process');
      const { spawn } = processes;
      processes.spawn = (file, ...rest) => {
        const child = spawn(file, ...rest);
        return file.endsWith('initdb') ? Object.assign(child, { on: () => child }) : child;
      };`;
    const killed = startPeer(programs, directory, { before });
    await until(() => drafts().some((name) => existsSync(join(cluster, name, 'PG_VERSION'))));
    await killed.kill();
    killAll(familyOf(directory));
    expect(drafts()).toHaveLength(1);
    await withDatabase(directory, async ({ url }) => insertRow(url));
    expect(readdirSync(cluster).sort()).toEqual(['data', 'server.log']);
  });
});

describe('refuses in one clear sentence, and destroys nothing', () => {
  test('data of another major version of PostgreSQL', async () => {
    const directory = newDirectory();
    await withDatabase(directory, async ({ url }) => insertRow(url));
    const file = join(directory, 'postgres', 'data', 'PG_VERSION');
    const version = await readFile(file, 'utf8');
    await writeFile(file, '9\n');
    expect(await failure(directory)).toMatch(/was made by PostgreSQL 9,.* brings PostgreSQL \d+: /);
    await writeFile(file, version);
    await withDatabase(directory, async ({ url }) => expect(await countRows(url)).toBe(1));
  });

  test('a folder that holds something else', async () => {
    const directory = newDirectory();
    const data = join(directory, 'postgres', 'data');
    await mkdir(data, { recursive: true });
    await writeFile(join(data, 'letter.txt'), 'mine');
    expect(await failure(directory)).toMatch(/is not empty, yet holds no PostgreSQL data/);
    expect(readdirSync(data)).toEqual(['letter.txt']);
  });

  test('a file where the directory should be', async () => {
    const file = newDirectory();
    await writeFile(file, 'mine');
    expect(await failure(file)).toMatch(/cannot be made or written \((EEXIST|ENOTDIR)\)/);
    expect(statSync(file).isFile()).toBe(true);
  });

  test('a lost or foreign password', async () => {
    const directory = newDirectory();
    await withDatabase(directory, async () => Promise.resolve());
    await rename(join(directory, 'password'), join(directory, 'elsewhere'));
    expect(await failure(directory)).toMatch(/password file beside it is not the one/);
    await until(() => !isRunning(directory));
  });

  test("a server that cannot start, with the end of the server's log", async () => {
    const directory = newDirectory();
    await withDatabase(directory, async () => Promise.resolve());
    await appendFile(join(directory, 'postgres', 'data', 'postgresql.conf'), 'nonsense = 1\n');
    expect(await failure(directory)).toMatch(/could not be started; .*\n.*"nonsense"/s);
  });

  test('a system for which there is no PostgreSQL: set DATABASE_URL', async () => {
    const before = "Object.defineProperty(process, 'arch', { value: 'pdp11' })";
    const alien = startPeer(programs, newDirectory(), { before });
    await expect(alien.started).rejects.toThrow(/EmbeddedDatabaseError: .*pdp11.*set DATABASE_URL/);
  });
});
