import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand, type ServerUser } from './embedded-command';
import { codeOf, EmbeddedDatabaseError } from './embedded-error';

/** Is this process root, as whom PostgreSQL refuses to run? Never so on Windows. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

const nobody: ServerUser = { name: 'nobody', uid: 65_534, gid: 65_534 };

/**
 * The user that runs PostgreSQL when this process is root: `wanted`, else one named `postgres`,
 * else `wanted` newly made, else nobody. Safe when several processes ask at once.
 */
export async function findServerUser(
  wanted = 'keyward',
  existing: readonly string[] = ['postgres'],
): Promise<ServerUser> {
  for (const name of [wanted, ...existing]) {
    const user = await lookUpUser(name);
    if (user !== undefined) return user;
  }
  const user = (await createUser(wanted)) ?? (await lookUpUser(nobody.name)) ?? nobody;
  if ((await runCommand('/bin/sh', ['-c', 'true'], { user })).code !== 0) {
    throw new EmbeddedDatabaseError(
      'PostgreSQL does not run as root, and no other system user could be found or made: ' +
        `create one named ${wanted}, start Keyward as an ordinary user, or set DATABASE_URL.`,
    );
  }
  return user;
}

/** The user who owns an existing cluster, so that the same one goes on running it. */
export async function userOfId(uid: number, gid: number): Promise<ServerUser> {
  const { code, output } = await runCommand('id', ['-un', String(uid)]);
  return { name: code === 0 && output !== '' ? output : String(uid), uid, gid };
}

async function lookUpUser(name: string): Promise<ServerUser | undefined> {
  const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)]);
  return uid === undefined || gid === undefined || uid === 0 ? undefined : { name, uid, gid };
}

async function idOf(flag: '-u' | '-g', name: string): Promise<number | undefined> {
  const { code, output } = await runCommand('id', [flag, name]);
  return code === 0 && /^\d+$/.test(output) ? Number(output) : undefined;
}

/** Two useradd at once would both succeed, and leave the same name twice; so there is but one. */
async function createUser(name: string): Promise<ServerUser | undefined> {
  const release = await lock(`\0keyward-create-${name}`);
  try {
    const made = await lookUpUser(name);
    if (made !== undefined) return made;
    const home = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin'];
    const { code } = await runCommand('useradd', ['--system', '--user-group', ...home, name]);
    // Alpine's BusyBox has no useradd.
    if (code === undefined) await runCommand('adduser', ['-S', '-D', '-H', name]);
    return await lookUpUser(name);
  } finally {
    release();
  }
}

/**
 * Waits for others who hold the lock of that name, for ten seconds at most. It is a socket in
 * Linux's abstract name space, which goes with its process; systems without one do not lock.
 */
async function lock(name: string): Promise<() => void> {
  const server = createServer();
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      await once(server.listen(name), 'listening');
      break;
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE') break;
      await sleep(100);
    }
  }
  return () => void server.close();
}
