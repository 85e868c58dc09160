import { ArgsType, Field, ID, InputType, registerEnumType } from 'type-graphql';
import { PageArgs } from '../graphql/page.types';
import type { Environment } from '../kernel/principal';
import type { ApiKeyStatus } from './api-key';
import type { ApiKeyOrderField } from './api-key-list';
import { environments, statuses } from './api-key.types';

const orderFields = {
  CREATED_AT: 'CREATED_AT',
  NAME: 'NAME',
  EXPIRES_AT: 'EXPIRES_AT',
  LAST_USED_AT: 'LAST_USED_AT',
} as const;
registerEnumType(orderFields, {
  name: 'ApiKeyOrderField',
  description: 'What a list of keys is sorted by; equal ones by id.',
  valuesConfig: {
    CREATED_AT: { description: 'When they were created.' },
    NAME: { description: 'Their names, whatever the case.' },
    EXPIRES_AT: { description: 'When they expire; those that never do are the latest.' },
    LAST_USED_AT: {
      description: 'When they were last used; those that never were are the earliest.',
    },
  },
});

const directions = { ASC: 'ASC', DESC: 'DESC' } as const;
registerEnumType(directions, {
  name: 'OrderDirection',
  description: 'Which way a list is sorted.',
  valuesConfig: {
    ASC: { description: 'Smallest, earliest or first in the alphabet first.' },
    DESC: { description: 'Largest, latest or last in the alphabet first.' },
  },
});

/** How to sort a list of keys. */
@InputType('ApiKeyOrder', { description: 'How to sort a list of keys.' })
class ApiKeyOrderInput {
  @Field(() => orderFields, { description: 'By what.' })
  readonly field: ApiKeyOrderField;

  @Field(() => directions, { description: 'Which way.' })
  readonly direction: keyof typeof directions;
}

/** Which keys to list. */
@InputType('ApiKeyFilter', { description: 'Which keys: those that meet every member given.' })
export class ApiKeyFilterInput {
  @Field(() => [statuses], { nullable: true, description: 'Any of these.' })
  readonly status?: ApiKeyStatus[] | null;

  @Field(() => environments, { nullable: true, description: 'This one.' })
  readonly environment?: Environment | null;

  @Field(() => [String], { nullable: true, description: 'Keys that carry all of these.' })
  readonly scopes?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'Part of the name, description or prefix, in any case.',
  })
  readonly search?: string | null;

  @Field(() => String, { nullable: true, description: 'Exactly this owner.' })
  readonly owner?: string | null;

  @Field(() => String, { nullable: true, description: 'Exactly this application.' })
  readonly application?: string | null;

  @Field(() => [String], { nullable: true, description: 'Keys that carry all of these.' })
  readonly tags?: string[] | null;

  @Field(() => ID, { nullable: true, description: 'Created by the actor with this id.' })
  readonly createdBy?: string | null;

  @Field(() => Date, { nullable: true, description: 'Expired or expiring before then.' })
  readonly expiresBefore?: Date | null;

  @Field(() => Date, { nullable: true, description: 'Last used before then, or never.' })
  readonly unusedSince?: Date | null;

  @Field(() => Date, { nullable: true, description: 'Created before then.' })
  readonly createdBefore?: Date | null;
}

/** The arguments of a list of keys. */
@ArgsType()
export class ApiKeyListArgs extends PageArgs {
  @Field(() => ApiKeyFilterInput, { nullable: true, description: 'Which keys; left out: all.' })
  readonly filter?: ApiKeyFilterInput | null;

  @Field(() => ApiKeyOrderInput, { nullable: true, description: 'Newest first unless told.' })
  readonly orderBy?: ApiKeyOrderInput | null;
}
