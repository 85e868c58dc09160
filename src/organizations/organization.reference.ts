import type { EntityReference } from '../graphql/entities';
import { requireScopes } from '../graphql/scope-directive';
import { parseOrganizationId } from '../kernel/ids';
import { requireKnown } from '../kernel/principal';
import type { OrganizationLoader } from './organization.loader';

/** Finds an organization for another subgraph's field: the caller's own, with `api_keys:read`. */
export function createOrganizationReference(load: OrganizationLoader): EntityReference {
  return {
    async __resolveReference({ id }, context) {
      requireScopes(context, [[['api_keys:read']]]);
      const wanted = parseOrganizationId(String(id));
      const { organizationId } = requireKnown(context.caller.principal);
      return wanted === organizationId ? load(context).load(wanted) : null;
    },
  };
}
