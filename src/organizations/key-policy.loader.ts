import DataLoader from 'dataloader';
import { perRequest, type RequestContext } from '../graphql/context';
import type { OrganizationId } from '../kernel/ids';
import type { EffectivePolicy } from './key-policy';
import type { KeyPolicyService } from './key-policy.service';

/** Loads what counts for an organization's keys once for each request, however often it is shown. */
export type KeyPolicyLoader = (
  context: RequestContext,
) => DataLoader<OrganizationId, EffectivePolicy>;

/** Makes the loader of each request. */
export function createKeyPolicyLoader(service: KeyPolicyService): KeyPolicyLoader {
  // A request sees one organization, its caller's: there is nothing to batch.
  return perRequest(
    () =>
      new DataLoader(async (ids: readonly OrganizationId[]) =>
        Promise.all(ids.map(async (id) => service.get(id))),
      ),
  );
}
