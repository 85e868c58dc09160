import { Ctx, Directive, FieldResolver, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { lastRotatedAt, type ApiKey } from './api-key';
import type { ApiKeyLoader } from './api-key.loader';
import { ApiKeyType } from './api-key.types';
import { RotationType } from './rotation.types';

/** A key's rotation, as a field of it; the key itself stands for it. */
@Resolver(() => ApiKeyType)
export class ApiKeyRotationResolver {
  @FieldResolver(() => RotationType, {
    description: 'Which key it took the place of, and which took its place.',
  })
  rotation(@Root() key: ApiKey): ApiKey {
    return key;
  }
}

/**
 * The fields of a rotation. The other keys are for those who may read keys, or change them: what
 * they change, they get to see.
 */
@Resolver(() => RotationType)
export class RotationResolver {
  constructor(private readonly loadKey: ApiKeyLoader) {}

  @Directive('@requiresScopes(scopes: [["api_keys:read"], ["api_keys:write"]])')
  @FieldResolver(() => ApiKeyType, { nullable: true, description: 'The key whose place it took.' })
  async predecessor(
    @Ctx() context: RequestContext,
    @Root() { predecessorId }: ApiKey,
  ): Promise<ApiKey | null> {
    return predecessorId && this.loadKey(context).load(predecessorId);
  }

  @Directive('@requiresScopes(scopes: [["api_keys:read"], ["api_keys:write"]])')
  @FieldResolver(() => ApiKeyType, { nullable: true, description: 'The key that took its place.' })
  async successor(
    @Ctx() context: RequestContext,
    @Root() { successor }: ApiKey,
  ): Promise<ApiKey | null> {
    return successor && this.loadKey(context).load(successor.id);
  }

  @FieldResolver(() => Date, {
    nullable: true,
    description:
      'When it got a successor or else, if it took the place of another key, when it was created.',
  })
  lastRotatedAt(@Root() key: ApiKey): Date | null {
    return lastRotatedAt(key);
  }
}
