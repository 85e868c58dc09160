import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { ApiKey, RevocationReason } from './api-key';
import { ApiKeyFilterInput } from './api-key-list.types';
import { ApiKeyType, revocationReasons } from './api-key.types';

/** Which keys to revoke, and why. */
@InputType('RevokeApiKeysInput', { description: 'Which keys to revoke, and why.' })
export class RevokeApiKeysInput {
  @Field(() => ApiKeyFilterInput, {
    description: 'Which keys, up to 1,000 at a time; an empty filter is refused.',
  })
  readonly filter: ApiKeyFilterInput;

  @Field(() => revocationReasons, { description: 'Why.' })
  readonly reason: RevocationReason;

  @Field(() => String, { nullable: true, description: 'A note; up to 1,000 characters.' })
  readonly note?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'true: change nothing, only answer with the keys that would be revoked.',
  })
  readonly dryRun?: boolean | null;
}

/** What comes back when keys were revoked. */
@ObjectType('RevokeApiKeysPayload', { description: 'Revoked keys.', simpleResolvers: true })
export class RevokeApiKeysPayload {
  @Field(() => Int, { description: 'How many, without those that were revoked already.' })
  readonly count: number;

  @Field(() => [ApiKeyType], { description: 'The first 200 of them as they are now.' })
  readonly apiKeys: readonly ApiKey[];

  @Field(() => String, {
    nullable: true,
    description:
      'Names keys that took the place of these and still work, for the filter did not meet them; null when there are none.',
  })
  readonly notice: string | null;
}
