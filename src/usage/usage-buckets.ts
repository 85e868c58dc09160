import { InputError } from '../kernel/errors';
import { firstInstant, lastInstant } from '../kernel/instants';

/** How long a bucket is. */
export type UsageGranularity = 'HOUR' | 'DAY';

/** Which buckets, as a client asks for them. */
export interface UsageArguments {
  /** From this instant on; left out: 24 hours (HOUR) or 30 days (DAY) before `to`. */
  readonly from?: Date | null | undefined;
  /** Before this instant; left out: now. */
  readonly to?: Date | null | undefined;
  /** Left out: DAY. */
  readonly granularity?: UsageGranularity | null | undefined;
}

/** Checked: whole buckets, in UTC. */
export interface UsageRange {
  readonly from: Date;
  readonly to: Date;
  readonly granularity: UsageGranularity;
}

/** How many requests there were in an hour or day. */
export interface UsageBucket {
  readonly start: Date;
  readonly end: Date;
  /** Those with the outcome VALID. */
  readonly allowed: number;
  /** All others. */
  readonly refused: number;
}

/** What was counted in the bucket with this place in its range; places are counted from 0. */
export type UsageCount = Pick<UsageBucket, 'allowed' | 'refused'> & { readonly place: number };

const hourMs = 3_600_000;

/** How long buckets are; Unix time has no leap seconds, so UTC's borders are multiples of these. */
export const bucketMs: Readonly<Record<UsageGranularity, number>> = {
  HOUR: hourMs,
  DAY: 24 * hourMs,
};

/** The most buckets that are answered: 31 days of hours, 400 days. */
const maxBuckets: Readonly<Record<UsageGranularity, number>> = { HOUR: 744, DAY: 400 };

const usualMs: Readonly<Record<UsageGranularity, number>> = {
  HOUR: 24 * hourMs,
  DAY: 30 * 24 * hourMs,
};

/**
 * The whole buckets that a client's range touches: its ends are moved outwards to their borders.
 * @param now by the database's clock
 * @throws InputError naming `from`: it does not lie before `to`, or there would be too many buckets;
 * naming the end that was given: its border lies where RFC 3339 cannot write it
 */
export function toUsageRange(given: UsageArguments, now: Date): UsageRange {
  const granularity = given.granularity ?? 'DAY';
  const end = (given.to ?? now).getTime();
  const start = given.from?.getTime() ?? end - usualMs[granularity];
  if (start >= end)
    throw new InputError('from', 'from must lie before to, which is now unless told.');
  const [from, to] = outwards(start, end, granularity);
  if (countOf(from, to, granularity) > maxBuckets[granularity]) {
    throw new InputError(
      'from',
      `from lies too long before to: at most ${maxBuckets.HOUR} buckets of HOUR or ${maxBuckets.DAY} of DAY are answered.`,
    );
  }
  if (from < firstInstant.getTime()) {
    const field = given.from == null ? 'to' : 'from';
    throw new InputError(field, `${field} is too early: no bucket begins before the year 0.`);
  }
  if (to > lastInstant.getTime()) {
    throw new InputError('to', 'to is too late: every bucket ends before the year 10000.');
  }
  return { from: new Date(from), to: new Date(to), granularity };
}

/**
 * How many buckets there may be in the answer to arguments as a client sent them, unchecked.
 * @param now about the present instant
 */
export function estimateBuckets(sent: Readonly<Record<string, unknown>>, now: Date): number {
  const granularity = sent.granularity === 'HOUR' ? 'HOUR' : 'DAY';
  const end = sent.to == null ? now.getTime() : parseInstant(sent.to);
  const start = sent.from == null ? end - usualMs[granularity] : parseInstant(sent.from);
  const count = countOf(...outwards(start, end, granularity), granularity);
  return count <= maxBuckets[granularity] ? count : maxBuckets[granularity]; // NaN included
}

/** Every bucket of the range in order, with zeros where nothing was counted. */
export function fillBuckets(
  { from, to, granularity }: UsageRange,
  counts: readonly UsageCount[],
): readonly UsageBucket[] {
  const length = bucketMs[granularity];
  const byPlace = new Map(counts.map((count) => [count.place, count]));
  return Array.from({ length: countOf(from.getTime(), to.getTime(), granularity) }, (_, place) => {
    const start = from.getTime() + place * length;
    const { allowed, refused } = byPlace.get(place) ?? { allowed: 0, refused: 0 };
    return { start: new Date(start), end: new Date(start + length), allowed, refused };
  });
}

function parseInstant(sent: unknown): number {
  return typeof sent === 'string' ? Date.parse(sent) : NaN;
}

function outwards(start: number, end: number, granularity: UsageGranularity): [number, number] {
  const length = bucketMs[granularity];
  return [Math.floor(start / length) * length, Math.ceil(end / length) * length];
}

function countOf(from: number, to: number, granularity: UsageGranularity): number {
  return (to - from) / bucketMs[granularity];
}
