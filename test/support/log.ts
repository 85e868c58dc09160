import { createLogger, type Logger } from '../../src/kernel/logger';

/** A line of the log, as JSON has it. */
type LogLine = Readonly<Record<string, unknown>>;

/** Keyward's own logger at its most talkative, and what it wrote. */
export interface TestLog {
  readonly logger: Logger;
  /** Everything as it was written. */
  text(): string;
  /** The lines of one request. */
  of(requestId: unknown): readonly LogLine[];
}

/** Starts a log that can be read. */
export function readableLog(): TestLog {
  const lines: string[] = [];
  return {
    logger: createLogger('trace', { write: (line) => void lines.push(line) }),
    text: () => lines.join(''),
    of: (requestId) =>
      lines
        .map((line) => JSON.parse(line) as LogLine) // pino writes one object a line
        .filter((line) => line.requestId === requestId),
  };
}
