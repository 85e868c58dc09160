import { addDuration, parseDuration } from '../kernel/duration';
import { InputError, PolicyError } from '../kernel/errors';
import { lastInstant } from '../kernel/instants';
import type { ApiKey } from './api-key';
import type { Expiry } from './api-key-input';

/** What product and organization say about how long keys last; ISO 8601 durations. */
export interface LifetimePolicy {
  readonly defaultExpiresIn?: string | undefined;
  readonly maxLifetime?: string | null | undefined;
  readonly expirationRequired: boolean;
}

/**
 * Fixes the end of a key that is created at `now`.
 * @returns null when it never ends
 * @throws InputError on an end that is not in the future
 * @throws PolicyError with rule EXPIRATION_REQUIRED or MAX_LIFETIME
 */
export function fixExpiry(wish: Expiry, now: Date, policy: LifetimePolicy): Date | null {
  const end = wishedEnd(wish, now, policy);
  if (end === null) {
    if (!policy.expirationRequired && policy.maxLifetime == null) return null;
    throw new PolicyError('EXPIRATION_REQUIRED', 'Keys must expire: give expiresAt or expiresIn.');
  }
  if (end <= now) {
    const field = wish !== undefined && 'in' in wish ? 'input.expiresIn' : 'input.expiresAt';
    throw new InputError(field, `${field} must be in the future.`);
  }
  if (policy.maxLifetime != null) {
    const latest = addDuration(now, parseDuration(policy.maxLifetime, 'maxLifetime'));
    if (end > latest) {
      throw new PolicyError(
        'MAX_LIFETIME',
        `Keys may last ${policy.maxLifetime} at most: this one must expire by ${latest.toISOString()}.`,
        { latestExpiresAt: latest.toISOString() },
      );
    }
  }
  return end;
}

function wishedEnd(wish: Expiry, now: Date, policy: LifetimePolicy): Date | null {
  if (wish !== undefined) {
    if ('never' in wish) return null;
    return 'at' in wish ? wish.at : addDuration(now, wish.in);
  }
  if (policy.defaultExpiresIn === undefined) return null;
  return addDuration(now, parseDuration(policy.defaultExpiresIn, 'defaultExpiresIn'));
}

/**
 * The lifetime of a key again, counted from `now`. A key that had the longest lifetime allowed has
 * it again, as the calendar goes: a month in February is not a month in March.
 */
export function lifetimeAgain(
  { createdAt, expiresAt }: Pick<ApiKey, 'createdAt' | 'expiresAt'>,
  now: Date,
  { maxLifetime }: LifetimePolicy,
): Expiry {
  if (expiresAt === null) return { never: true };
  if (maxLifetime != null) {
    const longest = parseDuration(maxLifetime, 'maxLifetime');
    if (addDuration(createdAt, longest).getTime() === expiresAt.getTime()) return { in: longest };
  }
  const end = now.getTime() + expiresAt.getTime() - createdAt.getTime();
  return { at: new Date(Math.min(end, lastInstant.getTime())) };
}
