import { Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import type { ApiKey } from '../keys/api-key';
import { RotationType } from '../keys/rotation.types';
import type { LateRequestsLoader } from './late-requests.loader';

/** How much a rotated key is still used, as a field of its rotation. */
@Resolver(() => RotationType)
export class RotationUsageResolver {
  constructor(private readonly loadLateRequests: LateRequestsLoader) {}

  @FieldResolver(() => Int, {
    description:
      'How many requests still came in with it after it got a successor, also those that were refused.',
  })
  async requestsSinceSuccessor(
    @Ctx() context: RequestContext,
    @Root() { organizationId, id: apiKeyId, successor }: ApiKey,
  ): Promise<number> {
    if (successor === null) return 0;
    const question = { organizationId, apiKeyId, since: successor.at };
    return this.loadLateRequests(context).load(question);
  }
}
