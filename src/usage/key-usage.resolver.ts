import { Args, Ctx, Directive, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { requireKnown } from '../kernel/principal';
import type { ApiKey } from '../keys/api-key';
import { ApiKeyType } from '../keys/api-key.types';
import { UsageArgs, UsageBucketType } from './usage-bucket.types';
import type { UsageCountLoader } from './usage-count.loader';
import type { UsageCountService } from './usage-count.service';

/** How much keys are used: each of them, and all together. */
@Resolver(() => ApiKeyType)
export class KeyUsageResolver {
  constructor(
    private readonly counts: UsageCountService,
    private readonly loadUsage: UsageCountLoader,
  ) {}

  @Directive('@requiresScopes(scopes: [["analytics:read"]])')
  @Query(() => [UsageBucketType], {
    nullable: true,
    description:
      'How much all keys of your organization are used, bucket by bucket, empty ones too; verifications of secrets that are no key’s are among the refused.',
  })
  async apiKeyUsage(
    @Ctx() { caller }: RequestContext,
    @Args(() => UsageArgs) args: UsageArgs,
  ): Promise<readonly UsageBucketType[]> {
    return this.counts.ofOrganization(requireKnown(caller.principal).organizationId, args);
  }

  @Directive('@requiresScopes(scopes: [["analytics:read"]])')
  @FieldResolver(() => [UsageBucketType], {
    nullable: true,
    description:
      'How much it is used, bucket by bucket, empty ones too; null for a key of any organization but your own.',
  })
  async usage(
    @Ctx() context: RequestContext,
    @Root() { id, organizationId }: ApiKey,
    @Args(() => UsageArgs) args: UsageArgs,
  ): Promise<readonly UsageBucketType[] | null> {
    if (organizationId !== requireKnown(context.caller.principal).organizationId) return null;
    return this.loadUsage(context)(args).load(id);
  }
}
