import type { ApiKeyId, OrganizationId } from '../kernel/ids';

/** Asks how many requests came in with a key after an instant. */
export interface LateRequestsQuestion {
  readonly organizationId: OrganizationId;
  readonly apiKeyId: ApiKeyId;
  readonly since: Date;
}
