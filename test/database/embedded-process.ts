import { transformFileSync } from '@swc/core';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';

/** What a process tells about the database it has started or adopted. */
interface Started {
  readonly url: string;
  readonly directory: string;
  readonly relocated: boolean;
  readonly user: string | null;
  readonly secret: string;
}

/** A Node process of its own that uses an embedded database, as a server or command would. */
export interface Peer {
  readonly pid: number;
  /** Resolves when the database is there; rejects with what the process said when it fails. */
  readonly started: Promise<Started>;
  stop(): Promise<void>;
  /** Ends it as a crash would, without a chance to let go. */
  kill(): Promise<void>;
  /** What Ctrl-C at a terminal does: SIGINT to all processes of the group; resolves to what it said. */
  interrupt(): Promise<string>;
}

const program = `
const { startEmbeddedDatabase } = require('./embedded.js');
const [directory, before] = process.argv.slice(2);
if (before) eval(before);
startEmbeddedDatabase({ directory }).then(async (database) => {
  const secret = await database.secret('pepper', () => String(process.pid));
  const { url, relocated, user } = database;
  const told = { url, directory: database.directory, relocated, user: user ?? null, secret };
  const end = (word) => database.stop().then(() => { console.log(word); process.exit(0); });
  process.stdin.once('data', () => end('stopped'));
  process.once('SIGINT', () => end('interrupted'));
  console.log(JSON.stringify(told));
}).catch((error) => { console.error(error.name + ': ' + error.message); process.exit(1); });
`;

const root = join(__dirname, '..', '..');
const folders: string[] = [];
const zombies: ChildProcess[] = [];
const peers = new Set<Peer>();

/** Compiles the files under test, so that processes other than Jest's can run them. */
export function compileTo(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const source = join(root, 'src', 'database');
  for (const file of readdirSync(source).filter((name) => /^embedded.*\.ts$/.test(name))) {
    const { code } = transformFileSync(join(source, file), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
      swcrc: false,
    });
    writeFileSync(join(directory, `${basename(file, '.ts')}.js`), code);
  }
  writeFileSync(join(directory, 'program.js'), program);
  return directory;
}

/** A new folder which every system user may enter; deleted by `cleanUp`. */
export function newFolder(mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-embedded-'));
  chmodSync(folder, mode);
  folders.push(folder);
  return folder;
}

/** A folder for compiled files, from which the project's packages can be found. */
export function newProgramFolder(): string {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'embedded-'));
  chmodSync(folder, 0o755);
  folders.push(folder);
  return compileTo(folder);
}

/** Starts a process; `as` is the system user it becomes, `before` code it runs at first. */
export function startPeer(
  programs: string,
  directory: string,
  options: { readonly as?: { uid: number; gid: number }; readonly before?: string } = {},
): Peer {
  const args = [join(programs, 'program.js'), directory, options.before ?? ''];
  // Detached, it leads a process group as a shell's foreground job does.
  const child = spawn(process.execPath, args, { ...options.as, detached: true, cwd: '/' });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done !== true) return line.value;
    await ended;
    throw new Error(errors);
  };
  const started = nextLine().then((line) => JSON.parse(line) as Started);
  started.catch(() => undefined);
  const { pid = 0 } = child;
  const peer: Peer = {
    pid,
    started,
    stop: async () => {
      child.stdin.write('stop\n');
      await nextLine();
      await ended;
      peers.delete(peer);
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
      peers.delete(peer);
    },
    interrupt: async () => {
      process.kill(-pid, 'SIGINT');
      const said = await nextLine();
      await ended;
      peers.delete(peer);
      return said;
    },
  };
  peers.add(peer);
  return peer;
}

/** The process ids of a cluster's postmaster and its children, from the folder they work in. */
export function familyOf(directory: string): number[] {
  const data = join(directory, 'postgres');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && workingDirectory(name).startsWith(data))
    .map(Number);
}

function workingDirectory(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** The process id in postmaster.pid. */
export function postmasterPid(directory: string): number {
  const file = join(directory, 'postgres', 'data', 'postmaster.pid');
  return Number(readFileSync(file, 'utf8').split('\n', 1)[0]);
}

/** Kills processes as the kernel would when memory runs out. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has gone with its parent.
    }
  }
}

/** The id of a process that has ended, but whose parent never asks how; it goes in a minute. */
export async function startZombie(): Promise<number> {
  const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { detached: true });
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
  zombies.push(parent);
  parent.unref();
  return Number(pid);
}

/** Ends what tests left running, and deletes their folders. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...peers].map(async (peer) => peer.kill()));
  for (const zombie of zombies.splice(0)) zombie.kill('SIGKILL');
  for (const folder of folders.splice(0)) {
    killAll(familyOf(folder));
    for (const name of readdirSync(folder)) killAll(familyOf(join(folder, name)));
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}
