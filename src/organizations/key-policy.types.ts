import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { DurationScalar } from '../graphql/scalars';
import type { Role } from '../kernel/principal';
import { OrganizationType } from './organization.types';
import { roles } from './user.types';

/** What counts for an organization's keys, as GraphQL shows it. */
@ObjectType('ApiKeyPolicy', {
  description: 'What counts for an organization’s keys: the stricter of the product’s and its own.',
  simpleResolvers: true,
})
export class ApiKeyPolicyType {
  @Field(() => roles, {
    description: 'ADMIN: only admins manage keys; MEMBER: everyone in the organization.',
  })
  readonly managedBy: Role;

  @Field(() => String, {
    nullable: true,
    description: 'The plan that new keys need; null: any plan.',
  })
  readonly requiredPlan: string | null;

  @Field(() => DurationScalar, {
    nullable: true,
    description: 'The longest lifetime of a new key; null: no limit.',
  })
  readonly maxLifetime: string | null;

  @Field({ description: 'Whether a new key without an end is refused.' })
  readonly expirationRequired: boolean;

  @Field(() => DurationScalar, {
    nullable: true,
    description: 'How long a rotated key goes on working beside its successor, unless told.',
  })
  readonly defaultRotationGrace: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many active keys there may be; null: no limit.',
  })
  readonly maxActiveKeys: number | null;
}

/** What to change of a policy. */
@InputType('UpdateOrganizationPolicyInput', {
  description:
    'What to change: stricter than the product’s, never looser. What is left out stays as it is; null is the product’s again.',
})
export class UpdateOrganizationPolicyInput {
  @Field(() => roles, { nullable: true, description: 'Who may manage keys.' })
  readonly managedBy?: Role | null;

  @Field(() => String, { nullable: true, description: 'The plan that new keys need.' })
  readonly requiredPlan?: string | null;

  @Field(() => DurationScalar, {
    nullable: true,
    description: 'The longest lifetime of a new key.',
  })
  readonly maxLifetime?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether new keys must expire.' })
  readonly expirationRequired?: boolean | null;

  @Field(() => DurationScalar, {
    nullable: true,
    description: 'How long a rotated key goes on working beside its successor, unless told.',
  })
  readonly defaultRotationGrace?: string | null;

  @Field(() => Int, { nullable: true, description: 'How many active keys there may be.' })
  readonly maxActiveKeys?: number | null;
}

/** What comes back when a policy was changed. */
@ObjectType('UpdateOrganizationPolicyPayload', {
  description: 'A changed policy.',
  simpleResolvers: true,
})
export class UpdateOrganizationPolicyPayload {
  @Field(() => OrganizationType, { description: 'The organization with its policy as it is now.' })
  readonly organization: OrganizationType;
}
