import type { ApiKeyId, OrganizationId } from '../kernel/ids';
import type { Environment } from '../kernel/principal';
import type { ApiKeyStatus } from './api-key';

/** What the database knows of a presented secret, at the moment it was asked. */
export interface PresentedKey {
  readonly id: ApiKeyId;
  readonly organizationId: OrganizationId;
  readonly name: string;
  readonly environment: Environment;
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
  /** When it stops by itself: at its expiry, or when the grace after its rotation ends; null: never. */
  readonly endsAt: Date | null;
  readonly pepperId: string;
  readonly digest: Buffer;
  readonly status: ApiKeyStatus;
  /** The key that took its place. */
  readonly successorId: ApiKeyId | null;
  /** The moment, by the database's clock. */
  readonly checkedAt: Date;
}

/** What a presented secret is worth; an expected outcome, so a value and not an exception. */
export type Verdict =
  | { readonly outcome: 'MALFORMED' }
  | { readonly outcome: 'UNKNOWN' }
  | { readonly outcome: 'VALID' | 'EXPIRED' | 'REVOKED'; readonly key: PresentedKey };
