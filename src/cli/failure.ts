import { SettingError } from '../config-product';
import { EmbeddedDatabaseError } from '../database/embedded-error';
import { AppError, InputError } from '../kernel/errors';

/** Ends the process with 1 and one sentence; the whole error only when it is a surprise. */
export function failWith(error: unknown): never {
  process.stderr.write(`keyward: ${describe(error)}\n`);
  process.exit(1);
}

/**
 * What to do when output cannot be written. Nothing when its reader has read enough, as `head` does:
 * what the command does, it does to the end.
 * @throws InputError naming the output, for any other failure to write
 */
export function heedWriteError(error: unknown, output = 'standard output'): void {
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return;
  if (error instanceof Error && 'syscall' in error) {
    throw new InputError('output', `${output} cannot be written (${error.message}).`);
  }
  throw error;
}

function describe(error: unknown): string {
  if (error instanceof InputError) return error.message.replaceAll(inputMember, toOption);
  const expected =
    error instanceof SettingError ||
    error instanceof EmbeddedDatabaseError ||
    error instanceof AppError;
  return expected ? error.message : String(error instanceof Error ? error.stack : error);
}

// The rules name members of the API's input; here they were given as options.
const inputMember = /\binput\.(\w+)(?:\.(\d+))?/g;

function toOption(_member: string, name: string, index: string | undefined): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (index === undefined) return `--${words}`;
  return `--${words.replace(/s$/, '')} number ${Number(index) + 1}`;
}
