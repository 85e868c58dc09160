import { Args, Ctx, Directive, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { toConnection } from '../graphql/page.types';
import type { ApiKeyId } from '../kernel/ids';
import { requireKnown } from '../kernel/principal';
import type { ApiKey } from '../keys/api-key';
import { ApiKeyType } from '../keys/api-key.types';
import type { ApiKeyRequest } from './api-key-request';
import type { ApiKeyRequestService } from './api-key-request.service';
import {
  ApiKeyRequestConnectionType,
  ApiKeyRequestListArgs,
  ApiKeyRequestType,
} from './api-key-request.types';

/** Shows the requests made with keys: with each of them, and with all. */
@Resolver(() => ApiKeyType)
export class KeyRequestsResolver {
  constructor(private readonly records: ApiKeyRequestService) {}

  @Directive('@requiresScopes(scopes: [["analytics:read"]])')
  @Query(() => ApiKeyRequestConnectionType, {
    nullable: true,
    description: 'The requests made with any key of your organization, newest first.',
  })
  async apiKeyRequests(
    @Ctx() { caller }: RequestContext,
    @Args(() => ApiKeyRequestListArgs) args: ApiKeyRequestListArgs,
  ): Promise<ApiKeyRequestConnectionType> {
    const { organizationId } = requireKnown(caller.principal);
    return toConnection(await this.records.list({ organizationId }, args));
  }

  @Directive('@requiresScopes(scopes: [["analytics:read"]])')
  @FieldResolver(() => ApiKeyRequestConnectionType, {
    nullable: true,
    description:
      'The requests made with it, newest first; null for a key of any organization but your own.',
  })
  async requests(
    @Ctx() { caller }: RequestContext,
    @Root() { id: apiKeyId, organizationId }: ApiKey,
    @Args(() => ApiKeyRequestListArgs) args: ApiKeyRequestListArgs,
  ): Promise<ApiKeyRequestConnectionType | null> {
    if (organizationId !== requireKnown(caller.principal).organizationId) return null;
    return toConnection(await this.records.list({ organizationId, apiKeyId }, args));
  }
}

/** The key of a recorded request, as a field of it. */
@Resolver(() => ApiKeyRequestType)
export class RequestKeyResolver {
  constructor(
    private readonly loadKey: (context: RequestContext) => {
      load(id: ApiKeyId): Promise<ApiKey | null>;
    },
  ) {}

  @FieldResolver(() => ApiKeyType, {
    nullable: true,
    description: 'The key it was made with; null when the secret was no key’s.',
  })
  async apiKey(
    @Ctx() context: RequestContext,
    @Root() { apiKeyId }: ApiKeyRequest,
  ): Promise<ApiKey | null> {
    return apiKeyId === null ? null : this.loadKey(context).load(apiKeyId);
  }
}
