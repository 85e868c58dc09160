import type { ApiKey } from './api-key';
import { isPoorName } from './poor-name';

/** Each practice that a key can fall short of. */
export type KeyAdviceCode =
  | 'POOR_NAME'
  | 'NO_EXPIRATION'
  | 'LONG_LIFETIME'
  | 'FULL_ACCESS'
  | 'UNUSED'
  | 'ROTATION_DUE'
  | 'EXPIRES_SOON'
  | 'EXPIRED_NOT_REVOKED'
  | 'PREDECESSOR_STILL_USED';

/** What a best practice says about a key; the message says what to do. */
export interface KeyAdvice {
  readonly code: KeyAdviceCode;
  readonly message: string;
}

/** What advice is given by. */
export interface AdviceGrounds {
  /** The key whose place it took. */
  readonly predecessor: ApiKey | null;
  /** Whether these scopes amount to everything, in a product that lets people choose less. */
  readonly isAvoidableFullAccess: (scopes: readonly string[]) => boolean;
}

const dayMs = 24 * 60 * 60 * 1000;

/** After how many days each practice speaks up; the help pages' numbers. */
export const adviceDays = { longLifetime: 365, unused: 90, rotation: 90, expiry: 30 } as const;

/** How much advice there can be on one key: some exclude each other. */
export const maxAdvice = 7;

/**
 * What the best practices say about a key as it was when read, in a fixed order. Only what can
 * still be helped: nothing about a revoked key, about an expired one only that it should be revoked,
 * and nothing about the settings of one whose successor has its own.
 * @source the help pages' best practices; ADR 8
 */
export function adviseOn(key: ApiKey, grounds: AdviceGrounds): readonly KeyAdvice[] {
  if (key.status === 'REVOKED') return [];
  if (key.status === 'EXPIRED') return [{ code: 'EXPIRED_NOT_REVOKED', message: expired }];
  const ageMs = key.readAt.getTime() - key.createdAt.getTime();
  const idleMs = key.readAt.getTime() - (key.lastUsedAt ?? key.createdAt).getTime();
  const found: readonly (KeyAdvice | false)[] = [
    isPoorName(key.name) && { code: 'POOR_NAME', message: poorName },
    ...(key.successor === null ? adviseOnSettings(key, grounds, ageMs) : []),
    Math.min(ageMs, idleMs) > adviceDays.unused * dayMs && { code: 'UNUSED', message: unused },
    isStillUsed(grounds.predecessor, key) && {
      code: 'PREDECESSOR_STILL_USED',
      message: `Its predecessor ${grounds.predecessor.redacted} still gets requests. Find out where from in its usage, give those systems this key, then revoke the predecessor.`,
    },
  ];
  return found.filter((each) => each !== false);
}

function adviseOnSettings(
  { createdAt, expiresAt, readAt, scopes }: ApiKey,
  { isAvoidableFullAccess }: AdviceGrounds,
  ageMs: number,
): readonly (KeyAdvice | false)[] {
  const lifetimeMs = expiresAt === null ? Infinity : expiresAt.getTime() - createdAt.getTime();
  const leftMs = expiresAt === null ? Infinity : expiresAt.getTime() - readAt.getTime();
  return [
    expiresAt === null && { code: 'NO_EXPIRATION', message: noExpiration },
    expiresAt !== null &&
      lifetimeMs > adviceDays.longLifetime * dayMs && {
        code: 'LONG_LIFETIME',
        message: longLifetime,
      },
    isAvoidableFullAccess(scopes) && { code: 'FULL_ACCESS', message: fullAccess },
    ageMs > adviceDays.rotation * dayMs && { code: 'ROTATION_DUE', message: rotationDue },
    leftMs <= adviceDays.expiry * dayMs && {
      code: 'EXPIRES_SOON',
      message: `It stops working at ${String(expiresAt?.toISOString())}. If it is still needed, rotate it and give its systems the new key before then.`,
    },
  ];
}

function isStillUsed(predecessor: ApiKey | null, { createdAt }: ApiKey): predecessor is ApiKey {
  if (predecessor?.status !== 'ACTIVE' || predecessor.lastUsedAt === null) return false;
  return predecessor.lastUsedAt > createdAt;
}

const poorName =
  'Its name does not say what it is for. Rename it after the system that uses it, such as "Production Web Application".';
const noExpiration =
  'It never expires. Replace it with a key that does, of 30 to 90 days for most integrations.';
const longLifetime = `It lasts longer than ${adviceDays.longLifetime} days. Replace it with a key of 90 days or less, and rotate that one regularly.`;
const fullAccess =
  'It can do everything. Replace it with a key that has only the scopes its system needs.';
const unused = `It has not been used for ${adviceDays.unused} days. Revoke it unless something still needs it.`;
const rotationDue = `It is older than ${adviceDays.rotation} days. Rotate it and give its systems the new key.`;
const expired = 'It has expired. Revoke it, so that the list shows only keys that are in use.';
