import type { Actor } from '../kernel/actor';
import type { ApiKeyId, OrganizationId } from '../kernel/ids';
import type { Environment } from '../kernel/principal';

/** What a key is worth at the moment it was read, by the database's clock. */
export type ApiKeyStatus = 'ACTIVE' | 'EXPIRED' | 'REVOKED';

/** Why a key was revoked. */
export type RevocationReason =
  'COMPROMISED' | 'REPLACED' | 'UNUSED' | 'EMPLOYEE_DEPARTURE' | 'PROJECT_ENDED' | 'OTHER';

/** That a key was revoked, or retired after its rotation; it never is again anything else. */
export interface Revocation {
  readonly at: Date;
  readonly by: Actor;
  readonly reason: RevocationReason;
  readonly note: string | null;
}

/** What people write on a key; changing it does not change what the secret may do. */
export interface ApiKeyLabels {
  readonly name: string;
  readonly description: string | null;
  readonly owner: string | null;
  readonly application: string | null;
  readonly usageLocation: string | null;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** An API key without its secret, as it was when read. */
export interface ApiKey extends ApiKeyLabels {
  readonly id: ApiKeyId;
  readonly organizationId: OrganizationId;
  readonly environment: Environment;
  readonly prefix: string;
  readonly redacted: string;
  /** As granted: full access is not expanded. */
  readonly scopes: readonly string[];
  readonly status: ApiKeyStatus;
  readonly createdAt: Date;
  readonly createdBy: Actor;
  readonly expiresAt: Date | null;
  /** When a request was last let in with it; null: never. */
  readonly lastUsedAt: Date | null;
  readonly revocation: Revocation | null;
  /** The key whose place it took. */
  readonly predecessorId: ApiKeyId | null;
  /** The key that took its place, by rotation or replacement; it never has another. */
  readonly successor: Successor | null;
  /** When it stops by itself, its successor having taken over; null: it does not. */
  readonly retiresAt: Date | null;
  /** When this was read, by the database's clock. */
  readonly readAt: Date;
}

/** The key that took the place of another. */
export interface Successor {
  readonly id: ApiKeyId;
  /** Since when. */
  readonly at: Date;
}

/** A key about to be stored. */
export type NewApiKey = Omit<
  ApiKey,
  'status' | 'lastUsedAt' | 'revocation' | 'successor' | 'retiresAt' | 'readAt'
>;

/** When a key got a successor or else, if it took the place of another, when it was created. */
export function lastRotatedAt(
  key: Pick<ApiKey, 'successor' | 'predecessorId' | 'createdAt'>,
): Date | null {
  return key.successor?.at ?? (key.predecessorId === null ? null : key.createdAt);
}
