import DataLoader from 'dataloader';
import { perRequest, type RequestContext } from '../graphql/context';
import type { OrganizationId } from '../kernel/ids';
import type { Organization } from './organization';
import type { OrganizationService } from './organization.service';

/** Loads the organizations that one request needs with one query. */
export type OrganizationLoader = (
  context: RequestContext,
) => DataLoader<OrganizationId, Organization | null>;

/** Makes the loader of each request. */
export function createOrganizationLoader(service: OrganizationService): OrganizationLoader {
  return perRequest(
    () =>
      new DataLoader(async (ids: readonly OrganizationId[]) => {
        const found = new Map((await service.findByIds(ids)).map((each) => [each.id, each]));
        return ids.map((id) => found.get(id) ?? null);
      }),
  );
}
