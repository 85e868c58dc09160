import type { ApiKeyId, OrganizationId } from './ids';

/** What a presented secret turned out to be worth for what it was presented for. */
export type VerificationOutcome =
  | 'VALID'
  | 'MALFORMED'
  | 'UNKNOWN'
  | 'EXPIRED'
  | 'REVOKED'
  | 'INSUFFICIENT_SCOPE'
  | 'WRONG_ENVIRONMENT'
  /** Reserved; nothing suspends an organization yet. */
  | 'ORGANIZATION_SUSPENDED';

/** The outcomes of requests that were let in with the key: these are uses of it. */
export const admittedOutcomes: readonly VerificationOutcome[] = ['VALID', 'INSUFFICIENT_SCOPE'];

/** A request made with a key, or a verification done for another service, about to be answered. */
export interface KeyRequest {
  /** The key's; of a secret that is no key's, that of who asked about it. */
  readonly organizationId: OrganizationId;
  /** null: the secret is no key's that who asked may know of. */
  readonly apiKeyId: ApiKeyId | null;
  readonly requestId: string;
  /** When the key was judged, by the database's clock; of a secret that is no key's, by the process's. */
  readonly at: Date;
  /** Which subgraph or service was asked. */
  readonly service: string;
  /** The name of the GraphQL operation, or what else names what was asked for. */
  readonly operation: string | null;
  readonly outcome: VerificationOutcome;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly durationMs: number;
}
