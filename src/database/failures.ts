import { QueryFailedError } from 'typeorm';
import { UnavailableError } from '../kernel/errors';

// SQLSTATE classes and codes (PostgreSQL, appendix A) after which the statement may simply be sent
// again: connection exceptions, operator intervention (cancelled, shut down, starting up), too many
// connections, a database that lets nobody in (closed, renamed, another password), serialization
// failures, deadlocks, lock waits given up, a server turned read-only.
const passing = /^(08...|57...|53300|55000|3D000|28...|40001|40P01|55P03|25006)$/;

// Node's names for a broken or refused connection.
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

// `pg` gives these no code.
const driverMessages =
  /^(Query read timeout|timeout exceeded when trying to connect|timeout expired|Connection terminated.*|Client has encountered a connection error.*|Cannot use a pool after calling end on the pool|Client was closed and is not queryable)$/;

/** What a database error means for the request that met it. */
export type Failure = 'lost' | 'read-only' | 'retry' | 'other';

/**
 * Judges a database error: `lost`, the connection is of no more use; `read-only`, the server is
 * (SQLSTATE 25006); `retry`, the connection is fine and the work may be tried again; `other`, the
 * statement itself was refused.
 */
export function judgeFailure(error: unknown): Failure {
  const code = sqlState(error);
  if (code === '25006') return 'read-only';
  if (code !== undefined && /^(08...|57P0.)$/.test(code)) return 'lost';
  if (code !== undefined && passing.test(code)) return 'retry';
  if (code !== undefined && networkCodes.has(code)) return 'lost';
  if (code === undefined && error instanceof Error && driverMessages.test(error.message)) {
    return 'lost';
  }
  return 'other';
}

/**
 * Whether the server did not answer in time. It is no slow statement: PostgreSQL, were it there,
 * would have cancelled that before.
 */
export function isSilence(error: unknown): boolean {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return cause instanceof Error && cause.message === 'Query read timeout';
}

/** The error a caller gets: UnavailableError for what passes by itself, else the error as it is. */
export function toCallerError(error: unknown): unknown {
  return judgeFailure(error) === 'other' ? error : new UnavailableError(error);
}

/** The SQLSTATE or network code of an error, if it has one. */
export function sqlState(error: unknown): string | undefined {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}
