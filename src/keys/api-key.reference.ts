import type { EntityReference } from '../graphql/entities';
import { requireScopes } from '../graphql/scope-directive';
import { parseApiKeyId } from '../kernel/ids';
import type { ApiKeyLoader } from './api-key.loader';

/**
 * Finds a key for another subgraph's field: inside the caller's organization, with `api_keys:read`;
 * a key may always resolve itself. One query for all of a request.
 */
export function createApiKeyReference(load: ApiKeyLoader): EntityReference {
  return {
    async __resolveReference({ id }, context) {
      const { principal } = context.caller;
      const wanted = parseApiKeyId(String(id));
      const itself = principal.kind === 'API_KEY' && principal.apiKeyId === wanted;
      if (!itself) requireScopes(context, [[['api_keys:read']]]);
      return wanted === undefined ? null : load(context).load(wanted);
    },
  };
}
