import { DateTime, Duration } from 'luxon';
import { InputError } from './errors';

/** A checked ISO 8601 duration that is zero or longer, such as `P7D`, `PT12H` or `PT0S`. */
export interface IsoDuration {
  readonly text: string;
  readonly value: Duration;
}

const longestMs = Duration.fromObject({ years: 1000 }).toMillis();

/**
 * Reads an ISO 8601 duration from input.
 * @throws InputError naming `field` when it is no duration, negative, or over 1,000 years
 */
export function parseDuration(text: string, field: string): IsoDuration {
  const value = Duration.fromISO(text);
  const milliseconds = value.isValid ? value.toMillis() : NaN;
  if (!(milliseconds >= 0 && milliseconds <= longestMs)) {
    throw new InputError(
      field,
      `${field} must be an ISO 8601 duration from PT0S to P1000Y, such as P90D or PT12H.`,
    );
  }
  return { text, value };
}

/** The instant that lies `duration` after `start`, counting calendar units in UTC. */
export function addDuration(start: Date, duration: IsoDuration): Date {
  return DateTime.fromJSDate(start, { zone: 'utc' }).plus(duration.value).toJSDate();
}
