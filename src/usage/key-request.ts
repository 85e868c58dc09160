import type { ApiKeyId, OrganizationId } from '../kernel/ids';

/** How a request made with a key ended, as far as the key goes. */
export type KeyRequestOutcome = 'VALID' | 'EXPIRED' | 'REVOKED' | 'INSUFFICIENT_SCOPE';

/** The outcomes of requests that were let in with the key: these are uses of it. */
export const admittedOutcomes: readonly KeyRequestOutcome[] = ['VALID', 'INSUFFICIENT_SCOPE'];

/** A request that was made with a key and is about to be answered. */
export interface KeyRequest {
  readonly organizationId: OrganizationId;
  readonly apiKeyId: ApiKeyId;
  readonly requestId: string;
  /** When the key was judged, by the database's clock. */
  readonly at: Date;
  /** Which subgraph or service was asked. */
  readonly service: string;
  /** The name of the GraphQL operation, if it has one. */
  readonly operation: string | null;
  readonly outcome: KeyRequestOutcome;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly durationMs: number;
}
