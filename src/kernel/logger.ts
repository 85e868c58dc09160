import { pino, type DestinationStream, type Logger } from 'pino';
import { redactKeys } from './redaction';

export type { Logger };

/** How much is logged; each level holds those to its right. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** One of the log levels. */
export type LogLevel = (typeof logLevels)[number];

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code: unknown;
  readonly stack: string | undefined;
  readonly cause: LoggedError | undefined;
}

// A driver's error carries the statement's parameters and the row at fault, digests among them:
// only what is named here is logged.
function describeError(error: unknown): LoggedError | undefined {
  if (!(error instanceof Error)) return undefined;
  return {
    type: error.name,
    message: redactKeys(error.message),
    code: 'code' in error ? error.code : undefined,
    stack: error.stack === undefined ? undefined : redactKeys(error.stack),
    cause: describeError(error.cause),
  };
}

/**
 * A JSON logger, on standard error unless told, where it does not mix with what commands print.
 * Keyward logs no headers, no bodies and no parameters.
 */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  return pino({ level, serializers: { err: describeError } }, destination ?? pino.destination(2));
}
