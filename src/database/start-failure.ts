import { SettingError } from '../config-product';
import { UnavailableError } from '../kernel/errors';
import { judgeFailure, sqlState } from './failures';

/**
 * What the operator is told of a database error met while starting: a SettingError naming
 * DATABASE_URL for what lies with the server or its user, else the error as it is.
 */
export function toStartError(error: unknown): unknown {
  if (error instanceof UnavailableError) return toStartError(error.cause);
  if (judgeFailure(error) === 'read-only') return readOnly();
  if (sqlState(error) === insufficientPrivilege) {
    return new SettingError(
      'DATABASE_URL',
      `the database user may not do what Keyward needs (${messageOf(error)}); make it the database's owner.`,
    );
  }
  return judgeFailure(error) === 'other' ? error : unreachable(error);
}

/** That no connection to the server could be made, and why. */
export function unreachable(error: unknown): SettingError {
  const why =
    error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : messageOf(error);
  return new SettingError('DATABASE_URL', `the database cannot be reached (${why}).`);
}

/** That the server can be reached, and only read. */
export function readOnly(): SettingError {
  return new SettingError(
    'DATABASE_URL',
    'the database is read-only; name the primary server, not a standby.',
  );
}

const insufficientPrivilege = '42501';

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
