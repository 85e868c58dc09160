import { access, rename, rm } from 'node:fs/promises';
import { codeOf } from './embedded-error';

/** Can this process see `path`, and use it in the given way (`constants.X_OK` and so on)? */
export async function isThere(path: string, mode?: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/** What Linux, macOS and Windows say when a folder is renamed onto one that is not empty. */
const taken = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES']);

/**
 * Puts a finished folder in its place in one step. When another process was first, its folder
 * stays and this one is deleted.
 */
export async function renameUnlessThere(draft: string, directory: string): Promise<void> {
  try {
    await rename(draft, directory);
  } catch (error) {
    if (!taken.has(codeOf(error) ?? '') || !(await isThere(directory))) throw error;
    await rm(draft, { recursive: true, force: true });
  }
}
