import { Field, ID, InputType } from 'type-graphql';
import { DurationScalar, JsonObjectScalar } from '../graphql/scalars';
import type { Environment } from '../kernel/principal';
import type { RevocationReason } from './api-key';
import { environments, revocationReasons } from './api-key.types';

/** The field of an input with which keys are issued: the client's own name for its request. */
export function IdempotencyKeyField(): PropertyDecorator {
  return Field(() => String, {
    nullable: true,
    description:
      'Makes a retry safe: for 24 hours the same idempotencyKey with the same input answers with the same key and a null secret.',
  });
}

/** What people write on a key, apart from its name. */
@InputType()
abstract class LabelsInputType {
  @Field(() => String, {
    nullable: true,
    description: 'What it is used for; up to 500 characters.',
  })
  readonly description?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The owner or system it is assigned to; up to 500 characters.',
  })
  readonly owner?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The application that uses it; up to 500 characters.',
  })
  readonly application?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Where it is deployed; up to 500 characters.',
  })
  readonly usageLocation?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Labels to find it by; up to 20 of 50 characters.',
  })
  readonly tags?: string[] | null;

  @Field(() => JsonObjectScalar, {
    nullable: true,
    description: 'Anything else to note on it; up to 4 KiB of JSON.',
  })
  readonly metadata?: Record<string, unknown> | null;
}

/** A key to create. */
@InputType('CreateApiKeyInput', { description: 'A key to create.' })
export class CreateApiKeyInput extends LabelsInputType {
  @Field({ description: 'What to call it; 1 to 100 characters after trimming.' })
  readonly name: string;

  @Field(() => environments, {
    nullable: true,
    defaultValue: environments.LIVE,
    description: 'Where it is meant to be used.',
  })
  readonly environment?: Environment | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'What it may do, from the product’s catalogue and at most what you may do yourself. Required, unless the product’s keys all have full access.',
  })
  readonly scopes?: string[] | null;

  @Field(() => Date, {
    nullable: true,
    description: 'The instant from which on it does not work. Give this or expiresIn, not both.',
  })
  readonly expiresAt?: Date | null;

  @Field(() => DurationScalar, {
    nullable: true,
    description: 'How long it works, counted from now. Give this or expiresAt, not both.',
  })
  readonly expiresIn?: string | null;

  @IdempotencyKeyField()
  readonly idempotencyKey?: string | null;
}

/** What to change on a key. */
@InputType('UpdateApiKeyInput', {
  description:
    'What to change on a key: what is left out stays as it is, null clears. What the secret may do never changes.',
})
export class UpdateApiKeyInput extends LabelsInputType {
  @Field(() => ID, { description: 'Which key.' })
  readonly id: string;

  @Field(() => String, {
    nullable: true,
    description: 'What to call it; 1 to 100 characters after trimming.',
  })
  readonly name?: string | null;
}

/** Which key to revoke, and why. */
@InputType('RevokeApiKeyInput', { description: 'Which key to revoke, and why.' })
export class RevokeApiKeyInput {
  @Field(() => ID, { description: 'Which key.' })
  readonly id: string;

  @Field(() => revocationReasons, { description: 'Why.' })
  readonly reason: RevocationReason;

  @Field(() => String, { nullable: true, description: 'A note; up to 1,000 characters.' })
  readonly note?: string | null;
}
