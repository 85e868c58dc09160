import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, type ServerUser } from './embedded-command';
import { type Engine, majorOf, programOf } from './embedded-engine';
import { codeOf, EmbeddedDatabaseError } from './embedded-error';
import { isThere, renameUnlessThere } from './embedded-files';
import { isAlive } from './embedded-process';
import { writePrivately } from './embedded-secret';

/** PostgreSQL's data, its log, and what is needed to run a server on them. */
export interface Cluster {
  readonly engine: Engine;
  /** Holds `data` and `server.log`; every program is run from here. */
  readonly directory: string;
  /** Who runs PostgreSQL, when it is not the user of this process. */
  readonly user: ServerUser | undefined;
  /** Told when PostgreSQL's own programs have begun what takes them a while. */
  readonly onWait?: (() => void) | undefined;
}

/** The superuser's name, and that of the database which Keyward uses. */
export const databaseName = 'keyward';

/**
 * Makes the cluster when there is none. It is made aside and renamed into its place when it is
 * whole and on disk, so that what an interruption leaves is never taken for a cluster, and of
 * several processes that do so at once, all go on with the cluster of the first.
 */
export async function initialise(cluster: Cluster, password: string): Promise<void> {
  const data = join(cluster.directory, 'data');
  if (await checkVersion(data, cluster.engine)) return;
  // Whatever is in the way and not empty is somebody's; an empty folder is nobody's.
  await rmdir(data).catch(() => undefined);
  if (await isThere(data)) {
    throw new EmbeddedDatabaseError(
      `${data} is not empty, yet holds no PostgreSQL data: move it elsewhere.`,
    );
  }
  await removeLeftovers(cluster.directory);
  const draft = `draft-${process.pid}-${randomBytes(6).toString('hex')}`;
  try {
    await runInitdb(cluster, draft, password);
    await renameUnlessThere(join(cluster.directory, draft), data);
    await syncFolder(cluster.directory);
  } catch (cause) {
    if (cause instanceof EmbeddedDatabaseError) throw cause;
    throw new EmbeddedDatabaseError(
      `PostgreSQL's data cannot be made in ${cluster.directory} (${codeOf(cause) ?? String(cause)}).`,
      { cause },
    );
  } finally {
    await rm(join(cluster.directory, draft), { recursive: true, force: true });
    await rm(join(cluster.directory, `${draft}.password`), { force: true });
  }
}

/** Is there a cluster? An error when it is one that this engine cannot read. */
async function checkVersion(data: string, engine: Engine): Promise<boolean> {
  const found = await readFile(join(data, 'PG_VERSION'), 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return false;
  if (found.trim() === majorOf(engine)) return true;
  throw new EmbeddedDatabaseError(
    `The data in ${data} was made by PostgreSQL ${found.trim()}, and this release of Keyward ` +
      `brings PostgreSQL ${majorOf(engine)}: carry it over with pg_dump, or set DATABASE_URL to ` +
      'the address of a server that can read it.',
  );
}

async function runInitdb(cluster: Cluster, draft: string, password: string): Promise<void> {
  const { directory, engine, user } = cluster;
  const passwordFile = `${draft}.password`;
  await writePrivately(join(directory, passwordFile), password, user);
  const args = [
    `--pgdata=${draft}`,
    `--username=${databaseName}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Sorts by code point and knows upper and lower case alike on every system.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    // All at once instead of a thousand files one after the other, each of which a busy disk lets wait.
    ...(process.platform === 'linux' ? ['--sync-method=syncfs'] : []),
  ];
  const running = runCommand(programOf(engine, 'initdb'), args, { cwd: directory, user });
  cluster.onWait?.();
  const { code, output } = await running;
  if (code === 0) return;
  throw new EmbeddedDatabaseError(
    `PostgreSQL could not make its data in ${directory}:\n${lastLines(output)}`,
  );
}

/** What killed processes left half made; those of living processes are being worked on. */
async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = /^draft-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** The end of what PostgreSQL said, short enough for a terminal. */
export function lastLines(text: string): string {
  return text.trim().split('\n').slice(-8).join('\n');
}

/** Without this the rename may be lost in a power cut. Windows cannot, and need not. */
async function syncFolder(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(directory, 'r');
  await folder.sync().finally(() => folder.close());
}
