import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { adviseOn, type AdviceGrounds, type KeyAdvice } from './advice';
import { KeyAdviceType } from './advice.types';
import type { ApiKey } from './api-key';
import type { ApiKeyLoader } from './api-key.loader';
import { ApiKeyType } from './api-key.types';

/** What the best practices say about a key, as a field of it. */
@Resolver(() => ApiKeyType)
export class AdviceResolver {
  constructor(
    private readonly loadKey: ApiKeyLoader,
    private readonly isAvoidableFullAccess: AdviceGrounds['isAvoidableFullAccess'],
  ) {}

  @FieldResolver(() => [KeyAdviceType], {
    description: 'What the best practices say about it today; empty: nothing to do.',
  })
  async advice(@Ctx() context: RequestContext, @Root() key: ApiKey): Promise<readonly KeyAdvice[]> {
    const { predecessorId } = key;
    const predecessor = predecessorId && (await this.loadKey(context).load(predecessorId));
    const { isAvoidableFullAccess } = this;
    return adviseOn(key, { predecessor, isAvoidableFullAccess });
  }
}
