import DataLoader from 'dataloader';
import { perRequest, type RequestContext } from '../graphql/context';
import type { ApiKeyId } from '../kernel/ids';
import type { ApiKey } from './api-key';
import type { ListingService } from './listing.service';

/** Loads the keys of the caller's organization that one request needs with one query. */
export type ApiKeyLoader = (context: RequestContext) => DataLoader<ApiKeyId, ApiKey | null>;

/** Makes the loader of each request; a caller without an organization finds nothing. */
export function createApiKeyLoader(service: ListingService): ApiKeyLoader {
  return perRequest(
    ({ caller: { principal } }) =>
      new DataLoader(
        async (ids: readonly ApiKeyId[]) => {
          if (principal.kind === 'ANONYMOUS') return ids.map(() => null);
          const keys = await service.findByIds(principal.organizationId, [...new Set(ids)]);
          const found = new Map(keys.map((key) => [key.id, key]));
          return ids.map((id) => found.get(id) ?? null);
        },
        // Nothing is kept: after one mutation of a request, fields of the next see what it changed.
        { cache: false },
      ),
  );
}
