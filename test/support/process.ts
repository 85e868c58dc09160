import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cloneDatabase, type TestDatabase } from './databases';

/** Settings of a process; nothing else of this process's environment is handed on. */
export type Settings = Readonly<Record<string, string>>;

/** How a process ended, and everything it said. */
export interface Ending {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of Keyward's, `node dist/main.js` or a command. */
export interface Running {
  readonly pid: number;
  /** What it has said so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves when it has ended and everything it said has been read. */
  readonly ended: Promise<Ending>;
  signal(name: NodeJS.Signals): void;
}

/** A Keyward that serves. */
export interface Server extends Running {
  /** Where GraphQL is. */
  readonly url: string;
  /** The admin key it printed, if it did. */
  readonly adminKey: string | undefined;
  /** `kill -9`. */
  kill(): Promise<Ending>;
  /** SIGTERM. */
  stop(): Promise<Ending>;
}

const root = join(__dirname, '..', '..');
const processes = new Set<ChildProcess>();
const directories = new Set<string>();
const databases = new Set<TestDatabase>();

afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await until('all processes have ended', () => processes.size === 0);
  for (const directory of directories) await removeDirectory(directory);
  for (const database of databases) await database.drop();
});
// Should Jest itself be ended in the middle of a test.
process.once('exit', () => {
  for (const child of processes) child.kill('SIGKILL');
});

/** Starts `node <args>` in the project's folder with these settings only, and collects what it says. */
export function run(args: readonly string[], settings: Settings = {}): Running {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { PATH, HOME, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('node could not be started');
  processes.add(child);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  }
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (code, signal) => {
      processes.delete(child);
      resolve({ code, signal, ...said });
    });
  });
  return {
    pid,
    ended,
    signal: (name) => child.kill(name),
    get stdout() {
      return said.stdout;
    },
    get stderr() {
      return said.stderr;
    },
  };
}

/** Starts the server, on a free port of 127.0.0.1 unless told, and does not wait. */
export function launch(settings: Settings = {}): Running {
  return run(['dist/main.js'], { PORT: '0', KEYWARD_HOST: '127.0.0.1', ...settings });
}

/** Starts the server and waits until it is ready; throws with what it said when it is not. */
export async function serve(settings: Settings = {}): Promise<Server> {
  const begunAtMs = performance.now();
  const running = launch(settings);
  const over = running.ended.then(() => true);
  const ready = /^Keyward is ready: (\S+)$/m;
  for (let ended = false; !ready.test(running.stdout);) {
    if (ended || performance.now() - begunAtMs > 30_000) {
      running.signal('SIGKILL');
      throw new Error(`Keyward did not start: ${running.stdout}${running.stderr}`);
    }
    ended = await Promise.race([over, pause(2, false)]);
  }
  const end = async (name: NodeJS.Signals): Promise<Ending> => {
    running.signal(name);
    return running.ended;
  };
  return {
    pid: running.pid,
    ended: running.ended,
    signal: running.signal,
    url: ready.exec(running.stdout)?.[1] ?? '',
    adminKey: adminKeyIn(running.stdout),
    kill: async () => end('SIGKILL'),
    stop: async () => end('SIGTERM'),
    get stdout() {
      return running.stdout;
    },
    get stderr() {
      return running.stderr;
    },
  };
}

/** Runs a command of `keyward` to its end. */
export async function keyward(args: readonly string[], settings: Settings = {}): Promise<Ending> {
  return run(['bin/keyward.js', ...args], settings).ended;
}

/** The admin key in what a server printed: alone in its line. */
export function adminKeyIn(stdout: string): string | undefined {
  return /^sk_live_\w{39}$/m.exec(stdout)?.[0];
}

/** Polls until the probe answers with something other than undefined or false. */
export async function until<Found>(
  what: string,
  probe: () => Promise<Found | undefined | false> | Found | undefined | false,
  patienceMs = 30_000,
): Promise<Found> {
  for (const giveUpAtMs = performance.now() + patienceMs; ;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > giveUpAtMs) throw new Error(`waited in vain until ${what}`);
    await pause(10);
  }
}

/** A folder for an embedded database, removed after the test file, its server stopped. */
export function dataDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'keyward-process-'));
  chmodSync(directory, 0o755); // the system user who runs PostgreSQL for root has to enter
  directories.add(directory);
  return directory;
}

/** The embedded PostgreSQL that runs in the folder, if one does. */
export function postmasterIn(directory: string): number | undefined {
  try {
    const file = join(directory, 'postgres', 'data', 'postmaster.pid');
    const pid = Number(readFileSync(file, 'utf8').split('\n', 1)[0]);
    return isRunning(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process runs; one that has ended and whose parent does not ask how does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return process.platform !== 'linux'; // elsewhere the signal's answer is all there is
  }
}

/** A clone of the migrated template, dropped after the test file. */
export async function testDatabase(): Promise<TestDatabase> {
  const database = await cloneDatabase();
  databases.add(database);
  return database;
}

async function removeDirectory(directory: string): Promise<void> {
  const pid = postmasterIn(directory);
  if (pid !== undefined) {
    process.kill(pid, 'SIGQUIT');
    await until('PostgreSQL has ended', () => !isRunning(pid));
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
