import { Arg, Ctx, Directive, Mutation, Resolver } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { requireCaller } from '../kernel/principal';
import type { BulkRevocationService } from './bulk-revocation.service';
import { RevokeApiKeysInput, RevokeApiKeysPayload } from './bulk-revocation.types';

/** Revokes many keys at a time. */
@Resolver()
export class BulkRevocationResolver {
  constructor(private readonly revocations: BulkRevocationService) {}

  @Directive('@requiresScopes(scopes: [["api_keys:write"]])')
  @Mutation(() => RevokeApiKeysPayload, {
    nullable: true,
    description:
      'Ends all keys that meet a filter, at once and for ever: all of them or, when something goes wrong, none. Your own key is one of them if it meets the filter.',
  })
  async revokeApiKeys(
    @Ctx() { caller }: RequestContext,
    @Arg('input', { description: 'Which keys, and why.' }) input: RevokeApiKeysInput,
  ): Promise<RevokeApiKeysPayload> {
    return this.revocations.revoke(requireCaller(caller), input);
  }
}
