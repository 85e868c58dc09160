import { createLogger, type Logger, type LogLevel } from '../../src/kernel/logger';

/** A line of the log, as JSON has it. */
type LogLine = Readonly<Record<string, unknown>>;

/** Keyward's own logger, and what it wrote. */
export interface TestLog {
  readonly logger: Logger;
  /** Everything as it was written. */
  text(): string;
  /** The lines of one request. */
  of(requestId: unknown): readonly LogLine[];
}

/** Starts a log that can be read, at its most talkative unless told. */
export function readableLog(level: LogLevel = 'trace'): TestLog {
  const lines: string[] = [];
  return {
    logger: createLogger(level, { write: (line) => void lines.push(line) }),
    text: () => lines.join(''),
    of: (requestId) =>
      lines
        .map((line) => JSON.parse(line) as LogLine) // pino writes one object a line
        .filter((line) => line.requestId === requestId),
  };
}
