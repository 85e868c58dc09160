import { Arg, Ctx, Directive, Mutation, Resolver } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { requireCaller } from '../kernel/principal';
import type { ReplacementService } from './replacement.service';
import type { RotationService } from './rotation.service';
import {
  ReplaceApiKeyInput,
  ReplaceApiKeyPayload,
  RotateApiKeyInput,
  RotateApiKeyPayload,
} from './succession.types';

/** Puts new keys in the place of old ones. */
@Resolver()
export class SuccessionResolver {
  constructor(
    private readonly rotation: RotationService,
    private readonly replacement: ReplacementService,
  ) {}

  @Directive('@requiresScopes(scopes: [["api_keys:write"]])')
  @Mutation(() => RotateApiKeyPayload, {
    nullable: true,
    description:
      'Issues a new key with the settings of an old one, which stops when its grace period ends. You must have every scope of it.',
  })
  async rotateApiKey(
    @Ctx() { caller }: RequestContext,
    @Arg('input', { description: 'Which key, and how.' }) input: RotateApiKeyInput,
  ): Promise<RotateApiKeyPayload> {
    return this.rotation.rotate(requireCaller(caller), input);
  }

  @Directive('@requiresScopes(scopes: [["api_keys:write"]])')
  @Mutation(() => ReplaceApiKeyPayload, {
    nullable: true,
    description:
      'Issues a new key with changed settings; the old one works until someone revokes it.',
  })
  async replaceApiKey(
    @Ctx() { caller }: RequestContext,
    @Arg('input', { description: 'Which key, and what is to be different.' })
    input: ReplaceApiKeyInput,
  ): Promise<ReplaceApiKeyPayload> {
    return this.replacement.replace(requireCaller(caller), input);
  }
}
