import { readlink, realpath } from 'node:fs/promises';
import { codeOf } from './embedded-error';

/** Does this process id belong to a process that this user may signal? */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Is there no process of this id any more, whoever's, or one whose end only its parent has not noticed? */
export async function hasEnded(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
  return (await workingDirectoryOf(pid)) === null;
}

/** Does this process work in another directory, or nowhere? Where the system does not tell, it is believed. */
export async function worksElsewhere(pid: number, directory: string): Promise<boolean> {
  const works = await workingDirectoryOf(pid);
  return works !== undefined && works !== (await realpath(directory).catch(() => undefined));
}

/**
 * Only Linux tells, and only of processes of this user (to root, of all): else undefined. Null for
 * a process that has ended but whose parent has not asked how: it works nowhere.
 */
async function workingDirectoryOf(pid: number): Promise<string | null | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    return await readlink(`/proc/${pid}/cwd`);
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? null : undefined;
  }
}
