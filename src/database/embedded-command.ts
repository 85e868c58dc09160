import { spawn } from 'node:child_process';

/** A system user other than that of this process. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** How a command ended; `code` is undefined when it could not be run or was killed. */
export interface CommandResult {
  readonly code: number | undefined;
  /** Everything it wrote, or why it could not be run. */
  readonly output: string;
}

/** Who runs a command, where, and whether its words are wanted. */
export interface CommandOptions {
  /** Another system user to become; only root may. */
  readonly user?: ServerUser | undefined;
  readonly cwd?: string;
  /**
   * Give the command no pipes. A must for whatever leaves a server behind: on Windows that
   * server inherits the pipes and keeps them open, so that their end would never come.
   */
  readonly silent?: boolean;
}

/**
 * Nothing of this process's environment is handed on: PGDATA, PGOPTIONS, LANG and their like
 * would change what PostgreSQL does, and its messages are read here, in English.
 */
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Runs a program to its end without a shell; a failure is an answer, not an exception.
 * It gets a session of its own, so that Ctrl-C at the terminal reaches Node only.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  { user, cwd, silent = false }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env: environment,
      stdio: silent ? 'ignore' : ['ignore', 'pipe', 'pipe'],
      // Windows has no sessions; a hidden console of its own keeps Ctrl-C away there.
      detached: process.platform !== 'win32',
      windowsHide: true,
      ...(cwd === undefined ? {} : { cwd }),
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.on('error', (error) => resolve({ code: undefined, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? undefined, output: output.trim() }));
  });
}
