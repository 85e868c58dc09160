import { readFile, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, lastLines } from './embedded-cluster';
import { type CommandResult, runCommand } from './embedded-command';
import { programOf } from './embedded-engine';
import { EmbeddedDatabaseError } from './embedded-error';
import { isAlive, worksElsewhere } from './embedded-process';

/** A server process that runs on a cluster. */
export interface Postmaster {
  readonly pid: number;
  /** undefined in the first moments of its life. */
  readonly port: number | undefined;
  /** Does it accept connections? Not when it is starting, and not from when it begins to stop. */
  readonly ready: boolean;
}

const maxLogBytes = 10_000_000;
const pollMs = 5;
/** Crash recovery of a large database may take minutes. */
const startTimeoutSeconds = 600;
const stopTimeoutMs = 60_000;

/**
 * The server that runs on this cluster, whoever started it. A process id left in postmaster.pid
 * by a killed server may belong to somebody else today; PostgreSQL would then refuse to start
 * (in containers ids recur at every restart), so such a file is removed.
 */
export async function findPostmaster(cluster: Cluster): Promise<Postmaster | undefined> {
  const file = join(cluster.directory, 'data', 'postmaster.pid');
  const text = await read(file);
  const [pid = '', , , port = '', , , , status = ''] = text.split('\n');
  if (!/^\d+$/.test(pid) || !isAlive(Number(pid))) return undefined;
  if (await worksElsewhere(Number(pid), join(cluster.directory, 'data'))) {
    if ((await read(file)) === text) await rm(file, { force: true });
    return undefined;
  }
  return {
    pid: Number(pid),
    port: /^\d+$/.test(port) ? Number(port) : undefined,
    ready: status.trim() === 'ready',
  };
}

/**
 * Starts a server on a free port of 127.0.0.1 and waits until it is ready. Resolves to false when
 * it lost a race and the same should be tried again: for the port, or against another process
 * that starts or stops a server on this cluster.
 */
export async function startPostmaster(cluster: Cluster): Promise<boolean> {
  const log = join(cluster.directory, 'server.log');
  const logged = await rotate(log);
  const args = ['start', '--silent', '--pgdata=data', '--log=server.log', '--wait'];
  const port = await findFreePort();
  const started = runCommand(
    programOf(cluster.engine, 'pg_ctl'),
    [...args, `--timeout=${startTimeoutSeconds}`, '-o', serverFlags(port)],
    { cwd: cluster.directory, user: cluster.user, silent: process.platform === 'win32' },
  );
  cluster.onWait?.();
  const result = await whenReady(cluster, port, started);
  if (result === undefined || result.code === 0) return true;
  const logEnd = (await readFile(log).catch(() => Buffer.of())).subarray(logged).toString();
  const said = logEnd.trim() === '' ? result.output : logEnd;
  if (lostRace.test(said)) return false;
  throw new EmbeddedDatabaseError(
    `PostgreSQL could not be started; the end of ${log}:\n${lastLines(said)}`,
  );
}

/**
 * pg_ctl looks ten times a second only; postmaster.pid tells at once. A server on another port is
 * not the one begun here, which must be known to have failed: come late, it would run for nobody.
 */
async function whenReady(
  cluster: Cluster,
  port: number,
  started: Promise<CommandResult>,
): Promise<CommandResult | undefined> {
  let result: CommandResult | undefined;
  const ended = started.then((value) => {
    result = value;
  });
  while (result === undefined) {
    const server = await findPostmaster(cluster);
    if (server?.ready === true && server.port === port) return undefined;
    await Promise.race([ended, sleep(pollMs)]);
  }
  return result;
}

/** What the server says then, or pg_ctl when it read a postmaster.pid that was being written. */
const lostRace = new RegExp(
  [
    'lock file "[^"]*" (already exists|is empty)',
    'PID file "[^"]*" is empty|invalid data in PID file',
    'could not (bind|create any TCP/IP)',
    'pre-existing shared memory',
  ].join('|'),
);

/** Given at each start, so that a new release of Keyward may change them. No blanks in values. */
function serverFlags(port: number): string {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    cluster_name: 'keyward',
    // The log is for the server's own troubles: no statement, and no row's contents.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

/**
 * Stops the server and waits until it has; open connections are ended, commits are safe.
 * Does not let pg_ctl wait: that would wait for the next server too, when one is quick to come.
 */
export async function stopPostmaster(cluster: Cluster): Promise<void> {
  const pid = (await findPostmaster(cluster))?.pid;
  if (pid === undefined) return;
  const result = await runCommand(
    programOf(cluster.engine, 'pg_ctl'),
    ['stop', '--silent', '--pgdata=data', '--mode=fast', '--no-wait'],
    { cwd: cluster.directory, user: cluster.user },
  );
  const giveUpAt = performance.now() + stopTimeoutMs;
  while ((await findPostmaster(cluster))?.pid === pid) {
    if (performance.now() > giveUpAt) {
      throw new EmbeddedDatabaseError(
        `PostgreSQL (process ${pid}) could not be stopped:\n${lastLines(result.output)}`,
      );
    }
    await sleep(pollMs);
  }
}

async function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

/** Lets the log begin anew when it is large; resolves to the bytes it has now. */
async function rotate(log: string): Promise<number> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= maxLogBytes) return size;
  // Refused when another process was first; or by Windows, while somebody reads it.
  await rename(log, `${log}.1`).catch(() => undefined);
  return 0;
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
