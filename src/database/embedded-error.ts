/**
 * The embedded PostgreSQL cannot be had here. The message is one sentence for the operator and
 * never holds a password; what PostgreSQL itself said may follow it on further lines.
 */
export class EmbeddedDatabaseError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EmbeddedDatabaseError';
  }
}

/** The code of a failed system call or of a PostgreSQL answer, such as `EACCES` or `57P03`. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
