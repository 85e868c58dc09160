import DataLoader from 'dataloader';
import { perRequest, type RequestContext } from '../graphql/context';
import type { LateRequestsQuestion } from './late-requests';
import type { LateRequestsService } from './late-requests.service';

/** Counts for all keys of a page with one query. */
export type LateRequestsLoader = (
  context: RequestContext,
) => DataLoader<LateRequestsQuestion, number>;

/** Makes the loader of each request. */
export function createLateRequestsLoader(service: LateRequestsService): LateRequestsLoader {
  return perRequest(
    () =>
      new DataLoader((questions: readonly LateRequestsQuestion[]) => service.count(questions), {
        cache: false,
      }),
  );
}
