import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { DurationScalar } from '../graphql/scalars';
import type { ApiKey } from './api-key';
import { IdempotencyKeyField } from './api-key-input.types';
import { ApiKeyType } from './api-key.types';

/** What requests for a successor have in common. */
@InputType()
abstract class SuccessionInputType {
  @Field(() => ID, { description: 'Which key.' })
  readonly id: string;

  @Field(() => Date, {
    nullable: true,
    description:
      'The instant from which on the new key does not work. Give this or expiresIn, not both.',
  })
  readonly expiresAt?: Date | null;

  @Field(() => DurationScalar, {
    nullable: true,
    description: 'How long the new key works, counted from now.',
  })
  readonly expiresIn?: string | null;

  @IdempotencyKeyField()
  readonly idempotencyKey?: string | null;
}

/** Which key to rotate, and how. */
@InputType('RotateApiKeyInput', {
  description:
    'Which key to rotate, and how. Without expiresAt or expiresIn the new key has the lifetime of the old one again, counted from now.',
})
export class RotateApiKeyInput extends SuccessionInputType {
  @Field(() => DurationScalar, {
    nullable: true,
    description:
      'How long the old key goes on working, never beyond its own expiry; PT0S: it stops now. Left out: the organization’s default, which is the product’s unless it has its own, P7D if neither says.',
  })
  readonly gracePeriod?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'true: the old key goes on working until someone revokes it.',
  })
  readonly keepPredecessor?: boolean | null;
}

/** Which key to replace, and what is to be different. */
@InputType('ReplaceApiKeyInput', {
  description:
    'Which key to replace, and what is to be different on the new one: what is left out is taken over, the instant of its end, too.',
})
export class ReplaceApiKeyInput extends SuccessionInputType {
  @Field(() => String, {
    nullable: true,
    description: 'What to call it; 1 to 100 characters after trimming.',
  })
  readonly name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What it is used for; up to 500 characters; null clears.',
  })
  readonly description?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'What it may do, at most what you may do yourself.',
  })
  readonly scopes?: string[] | null;

  @Field(() => Boolean, { nullable: true, description: 'true: the new key does not expire.' })
  readonly neverExpires?: boolean | null;
}

/** What comes back when a key got a successor. */
@ObjectType({ simpleResolvers: true })
abstract class SuccessionPayload {
  @Field(() => ApiKeyType, { description: 'The new key.' })
  readonly apiKey: ApiKey;

  @Field(() => ApiKeyType, { description: 'The old key as it is now.' })
  readonly predecessor: ApiKey;

  @Field(() => String, {
    nullable: true,
    description:
      'The whole new key, shown this once: copy it now. Null when an earlier request with the same idempotencyKey made it.',
  })
  readonly secret: string | null;
}

/** What comes back when a key was rotated. */
@ObjectType('RotateApiKeyPayload', { description: 'A rotated key.', simpleResolvers: true })
export class RotateApiKeyPayload extends SuccessionPayload {}

/** What comes back when a key was replaced. */
@ObjectType('ReplaceApiKeyPayload', { description: 'A replaced key.', simpleResolvers: true })
export class ReplaceApiKeyPayload extends SuccessionPayload {}
