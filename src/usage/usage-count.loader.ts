import DataLoader from 'dataloader';
import { perRequest, type RequestContext } from '../graphql/context';
import type { ApiKeyId } from '../kernel/ids';
import { requireKnown } from '../kernel/principal';
import type { UsageArguments, UsageBucket } from './usage-buckets';
import type { UsageCountService } from './usage-count.service';

type Loader = DataLoader<ApiKeyId, readonly UsageBucket[]>;

/** Reads the usage of keys of the caller's organization: of all that are asked alike, at once. */
export type UsageCountLoader = (context: RequestContext) => (given: UsageArguments) => Loader;

/** Makes the loaders of each request, one for each set of arguments. */
export function createUsageCountLoader(service: UsageCountService): UsageCountLoader {
  return perRequest(({ caller }) => {
    const { organizationId } = requireKnown(caller.principal);
    const loaders = new Map<string, Loader>();
    return (given) => {
      const name = JSON.stringify([given.from, given.to, given.granularity]);
      const loader =
        loaders.get(name) ??
        new DataLoader((ids: readonly ApiKeyId[]) => service.ofKeys(organizationId, ids, given), {
          cache: false,
        });
      loaders.set(name, loader);
      return loader;
    };
  });
}
