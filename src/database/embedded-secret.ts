import { randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, EmbeddedDatabaseError } from './embedded-error';
import { isThere } from './embedded-files';

/**
 * The path of the secret `name` in `directory`, a file of mode 0600 that belongs to this process's
 * user; when it is missing it is made of what `create` returns. All processes that ask at once get
 * the same one: it is written aside and then linked, which the file system lets only one do.
 */
export async function keepSecret(
  directory: string,
  name: string,
  create: () => string,
): Promise<string> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new EmbeddedDatabaseError(`"${name}" cannot name a secret: use a-z, 0-9 and hyphens.`);
  }
  const path = join(directory, name);
  if (await isThere(path)) return path;
  const draft = join(directory, `.${name}.${randomBytes(6).toString('hex')}`);
  try {
    await writePrivately(draft, create());
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return path;
}

/** Writes a new file that only its owner may read, and waits until the disk has it. */
export async function writePrivately(
  path: string,
  text: string,
  owner?: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
