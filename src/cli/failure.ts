import { SettingError } from '../config-product';
import { EmbeddedDatabaseError } from '../database/embedded-error';
import { AppError } from '../kernel/errors';

/** Ends the process with 1 and one sentence; the whole error only when it is a surprise. */
export function failWith(error: unknown): never {
  const expected =
    error instanceof SettingError ||
    error instanceof EmbeddedDatabaseError ||
    error instanceof AppError;
  const text = expected ? error.message : String(error instanceof Error ? error.stack : error);
  process.stderr.write(`keyward: ${text}\n`);
  process.exit(1);
}
