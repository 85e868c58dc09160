import { Arg, Ctx, Directive, Mutation, Resolver } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { requireCaller } from '../kernel/principal';
import type { RevocationReason } from './api-key';
import { CreateApiKeyInput, RevokeApiKeyInput, UpdateApiKeyInput } from './api-key-input.types';
import {
  CreateApiKeyPayload,
  RevokeApiKeyPayload,
  UpdateApiKeyPayload,
} from './api-key-payload.types';
import { revocationReasons } from './api-key.types';
import type { CreationService } from './creation.service';
import type { RevocationService } from './revocation.service';
import type { UpdateService } from './update.service';

/** Changes keys. */
@Resolver()
export class ApiKeyMutationResolver {
  constructor(
    private readonly creation: CreationService,
    private readonly updates: UpdateService,
    private readonly revocation: RevocationService,
  ) {}

  @Directive('@requiresScopes(scopes: [["api_keys:write"]])')
  @Mutation(() => CreateApiKeyPayload, {
    nullable: true,
    description: 'Creates a key, which can do at most what you can do yourself.',
  })
  async createApiKey(
    @Ctx() { caller }: RequestContext,
    @Arg('input', { description: 'The key to create.' }) input: CreateApiKeyInput,
  ): Promise<CreateApiKeyPayload> {
    return this.creation.create(requireCaller(caller), input);
  }

  @Directive('@requiresScopes(scopes: [["api_keys:write"]])')
  @Mutation(() => UpdateApiKeyPayload, {
    nullable: true,
    description: 'Changes what people wrote on a key, never what its secret may do.',
  })
  async updateApiKey(
    @Ctx() { caller }: RequestContext,
    @Arg('input', { description: 'Which key, and what to change.' }) input: UpdateApiKeyInput,
  ): Promise<UpdateApiKeyPayload> {
    return { apiKey: await this.updates.update(requireCaller(caller), input) };
  }

  @Directive('@requiresScopes(scopes: [["api_keys:write"]])')
  @Mutation(() => RevokeApiKeyPayload, {
    nullable: true,
    description:
      'Ends a key at once and for ever, but not its successor. Repeating it changes nothing and answers with the first revocation.',
  })
  async revokeApiKey(
    @Ctx() { caller }: RequestContext,
    @Arg('input', { description: 'Which key, and why.' }) input: RevokeApiKeyInput,
  ): Promise<RevokeApiKeyPayload> {
    return this.revocation.revoke(requireCaller(caller), input);
  }

  @Directive('@authenticated')
  @Mutation(() => RevokeApiKeyPayload, {
    nullable: true,
    description: 'Ends the key that asks; it needs no scope for that.',
  })
  async revokeCurrentApiKey(
    @Ctx() { caller }: RequestContext,
    @Arg('reason', () => revocationReasons, { description: 'Why.' }) reason: RevocationReason,
    @Arg('note', () => String, { nullable: true, description: 'A note; up to 1,000 characters.' })
    note: string | null | undefined,
  ): Promise<RevokeApiKeyPayload> {
    return this.revocation.revokeCurrent(requireCaller(caller), { reason, note });
  }
}
