import { Field, ObjectType } from 'type-graphql';
import type { ApiKey } from './api-key';
import { ApiKeyType } from './api-key.types';

/** What comes back when a key was created. */
@ObjectType('CreateApiKeyPayload', { description: 'A created key.', simpleResolvers: true })
export class CreateApiKeyPayload {
  @Field(() => ApiKeyType, { description: 'The key.' })
  readonly apiKey: ApiKey;

  @Field(() => String, {
    nullable: true,
    description:
      'The whole key, shown this once: copy it now. Null when an earlier request with the same idempotencyKey created it.',
  })
  readonly secret: string | null;
}

/** What comes back when a key was updated. */
@ObjectType('UpdateApiKeyPayload', { description: 'An updated key.', simpleResolvers: true })
export class UpdateApiKeyPayload {
  @Field(() => ApiKeyType, { description: 'The key as it is now.' })
  readonly apiKey: ApiKey;
}

/** What comes back when a key was revoked. */
@ObjectType('RevokeApiKeyPayload', { description: 'A revoked key.', simpleResolvers: true })
export class RevokeApiKeyPayload {
  @Field(() => ApiKeyType, { description: 'The key as it is now.' })
  readonly apiKey: ApiKey;

  @Field(() => String, {
    nullable: true,
    description: 'Names the keys that took its place and still work; null when none does.',
  })
  readonly notice: string | null;
}
