import { Args, Ctx, Directive, FieldResolver, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { toConnection } from '../graphql/page.types';
import { requireKnown } from '../kernel/principal';
import { OrganizationType } from '../organizations/organization.types';
import { ApiKeyListArgs } from './api-key-list.types';
import { ApiKeyConnectionType } from './api-key.types';
import type { ListingService } from './listing.service';

/** An organization's keys, as a field of it. */
@Resolver(() => OrganizationType)
export class OrganizationApiKeysResolver {
  constructor(private readonly listing: ListingService) {}

  @Directive('@requiresScopes(scopes: [["api_keys:read"]])')
  @FieldResolver(() => ApiKeyConnectionType, {
    nullable: true,
    description: 'Its keys, newest first unless told; null for any organization but your own.',
  })
  async apiKeys(
    @Ctx() { caller }: RequestContext,
    @Root() organization: OrganizationType,
    @Args(() => ApiKeyListArgs) args: ApiKeyListArgs,
  ): Promise<ApiKeyConnectionType | null> {
    const { organizationId } = requireKnown(caller.principal);
    if (organization.id !== organizationId) return null;
    const page = await this.listing.list(organizationId, args);
    return { ...toConnection(page), totalCount: page.totalCount };
  }
}
