import { createHash } from 'node:crypto';
import { constants, lstatSync } from 'node:fs';
import { chmod, chown, mkdir, rmdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { runCommand, type ServerUser } from './embedded-command';
import { codeOf, EmbeddedDatabaseError } from './embedded-error';
import { isThere } from './embedded-files';
import { findServerUser, isRoot, userOfId } from './embedded-user';

/** Where an embedded database lies, and who runs it. */
export interface Home {
  /** Holds the secrets; belongs to this process's user. */
  readonly directory: string;
  /** Within it; holds PostgreSQL's data and log, and belongs to the user that runs PostgreSQL. */
  readonly cluster: string;
  /** A folder, made when missing, in which a copy of the engine may be kept. */
  readonly copies: () => Promise<string>;
  readonly user: ServerUser | undefined;
}

/** The home for the requested directory, made when missing; the same one at every start. */
export async function findHome(requested: string): Promise<Home> {
  const directory = resolve(requested);
  return isRoot() ? findHomeAsRoot(directory) : findOwnHome(directory);
}

async function findOwnHome(directory: string): Promise<Home> {
  const cluster = clusterIn(directory);
  try {
    await mkdir(cluster, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw cannotUse(directory, cause);
  }
  const all = constants.R_OK | constants.W_OK | constants.X_OK;
  if (!(await isThere(cluster, all)) || !(await isThere(directory, all))) {
    throw new EmbeddedDatabaseError(
      `The database in ${directory} belongs to another system user: ` +
        'run Keyward as that user, or choose another KEYWARD_DATA_DIR.',
    );
  }
  return { directory, cluster, copies: async () => Promise.resolve(directory), user: undefined };
}

async function findHomeAsRoot(requested: string): Promise<Home> {
  const name = createHash('sha256').update(requested).digest('hex').slice(0, 16);
  const places = [requested, ...ownFolders.map((folder) => join(folder, name))];
  // Data that exists decides, whatever the modes are today: nobody shall find it empty one day.
  for (const place of places) {
    const home =
      place === requested || isOurs(dirname(place)) ? await existingHome(place) : undefined;
    if (home !== undefined) return home;
  }
  const user = await findServerUser();
  for (const place of places) {
    if (place !== requested && !(await claim(dirname(place)))) continue;
    const cluster = await prepare(place, user);
    if (cluster !== undefined) return { directory: place, cluster, copies: ownFolder, user };
  }
  throw new EmbeddedDatabaseError(
    `The user ${user.name}, who runs PostgreSQL for root, can enter neither ${requested} nor ` +
      `${ownFolders.join(' nor ')}: choose another KEYWARD_DATA_DIR, or set DATABASE_URL.`,
  );
}

async function existingHome(directory: string): Promise<Home | undefined> {
  const cluster = clusterIn(directory);
  if (!(await isThere(join(cluster, 'data')))) return undefined;
  const { uid, gid } = await stat(cluster);
  const user = uid === 0 ? await findServerUser() : await userOfId(uid, gid);
  if (uid === 0) await chown(cluster, user.uid, user.gid);
  if (await canWorkIn(cluster, user)) return { directory, cluster, copies: ownFolder, user };
  throw new EmbeddedDatabaseError(
    `The database in ${directory} belongs to the system user ${user.name}, who may no longer ` +
      'enter that directory: give that back, or move the database to where they may.',
  );
}

/** Makes the folders that are missing; undefined, and nothing left behind, when `user` cannot enter. */
async function prepare(directory: string, user: ServerUser): Promise<string | undefined> {
  const cluster = clusterIn(directory);
  let made: string | undefined;
  try {
    made = await mkdir(directory, { recursive: true, mode: 0o755 });
    // A narrow umask shall not shut the user out of a folder that is ours alone.
    if (made !== undefined) await chmod(directory, 0o711);
    await mkdir(cluster, { recursive: true, mode: 0o700 });
    if ((await stat(cluster)).uid !== user.uid) await chown(cluster, user.uid, user.gid);
    if (await canWorkIn(cluster, user)) return cluster;
  } catch (cause) {
    if (['EEXIST', 'ENOTDIR'].includes(codeOf(cause) ?? '')) throw cannotUse(directory, cause);
  }
  await removeEmpty(cluster, made ?? cluster);
  return undefined;
}

/** Removes `directory` and the folders above it up to `last`, as far as they are empty. */
async function removeEmpty(directory: string, last: string): Promise<void> {
  try {
    for (let path = directory; path.startsWith(last); path = dirname(path)) await rmdir(path);
  } catch {
    // Not empty: something else lives there.
  }
}

/** Really tries: modes and ACLs of every folder above count, whatever they are. */
async function canWorkIn(directory: string, user: ServerUser): Promise<boolean> {
  const script = 'cd "$1" && test -r . && test -w .';
  return (await runCommand('/bin/sh', ['-c', script, 'sh', directory], { user })).code === 0;
}

/** Where root keeps what cannot lie where it was wanted. */
const ownFolders = ['/var/lib/keyward', join(tmpdir(), 'keyward')];

async function ownFolder(): Promise<string> {
  for (const folder of ownFolders) if (await claim(folder)) return folder;
  throw new EmbeddedDatabaseError(
    `A copy of PostgreSQL can be kept in neither ${ownFolders.join(' nor ')}: set DATABASE_URL.`,
  );
}

async function claim(folder: string): Promise<boolean> {
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o755 });
    if (made !== undefined) await chmod(folder, 0o755);
  } catch {
    return false;
  }
  return isOurs(folder);
}

/** In a folder such as /tmp, anybody could have been there first with a database of their own. */
function isOurs(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === 0 && (found.mode & 0o022) === 0;
}

function clusterIn(directory: string): string {
  return join(directory, 'postgres');
}

function cannotUse(directory: string, cause: unknown): EmbeddedDatabaseError {
  return new EmbeddedDatabaseError(
    `The directory ${directory} cannot be made or written (${codeOf(cause) ?? String(cause)}): ` +
      'choose another KEYWARD_DATA_DIR, or set DATABASE_URL.',
    { cause },
  );
}
