import { Arg, Args, Ctx, Directive, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { ActorType, toActorType } from '../audit/actor.types';
import type { RequestContext } from '../graphql/context';
import { toConnection } from '../graphql/page.types';
import { parseApiKeyId } from '../kernel/ids';
import { requireKnown } from '../kernel/principal';
import { OrganizationType } from '../organizations/organization.types';
import type { ApiKey } from './api-key';
import { ApiKeyListArgs } from './api-key-list.types';
import type { ApiKeyLoader } from './api-key.loader';
import { ApiKeyConnectionType, ApiKeyType, RevocationType } from './api-key.types';
import type { ListingService } from './listing.service';

/** Reads keys, and the fields of a key that are not in its row. */
@Resolver(() => ApiKeyType)
export class ApiKeyResolver {
  constructor(
    private readonly listing: ListingService,
    private readonly loadKey: ApiKeyLoader,
  ) {}

  @Directive('@requiresScopes(scopes: [["api_keys:read"]])')
  @Query(() => ApiKeyConnectionType, {
    nullable: true,
    description: 'The keys of your organization, newest first unless told.',
  })
  async apiKeys(
    @Ctx() { caller }: RequestContext,
    @Args(() => ApiKeyListArgs) args: ApiKeyListArgs,
  ): Promise<ApiKeyConnectionType> {
    const page = await this.listing.list(requireKnown(caller.principal).organizationId, args);
    return { ...toConnection(page), totalCount: page.totalCount };
  }

  @Directive('@requiresScopes(scopes: [["api_keys:read"]])')
  @Query(() => ApiKeyType, {
    nullable: true,
    description: 'One key; null when your organization has none with this id.',
  })
  async apiKey(
    @Ctx() context: RequestContext,
    @Arg('id', () => ID, { description: 'Which key.' }) id: string,
  ): Promise<ApiKey | null> {
    const parsed = parseApiKeyId(id);
    return parsed === undefined ? null : this.loadKey(context).load(parsed);
  }

  @FieldResolver(() => ActorType, { description: 'Who created it.' })
  createdBy(@Root() { createdBy }: ApiKey): ActorType {
    return toActorType(createdBy);
  }

  @FieldResolver(() => RevocationType, { nullable: true, description: 'Null unless revoked.' })
  revocation(@Root() { revocation }: ApiKey): RevocationType | null {
    return revocation && { ...revocation, by: toActorType(revocation.by) };
  }

  @FieldResolver(() => OrganizationType, { description: 'Whose it is.' })
  organization(@Root() { organizationId }: ApiKey): OrganizationType {
    return { id: organizationId };
  }
}
