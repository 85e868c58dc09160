import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { UserId } from '../kernel/ids';
import type { Role } from '../kernel/principal';

/** What a person can be in an organization, as GraphQL has it. */
export const roles = { ADMIN: 'ADMIN', MEMBER: 'MEMBER' } as const;
registerEnumType(roles, {
  name: 'Role',
  description: 'What a person is in their organization.',
  valuesConfig: {
    ADMIN: { description: 'May do everything in the organization.' },
    MEMBER: { description: 'May do what the policies of the product and the organization say.' },
  },
});

/** A person, as GraphQL shows them. */
@ObjectType('User', {
  description: 'A person, as the identity provider knows them.',
  simpleResolvers: true,
})
export class UserType {
  @Field(() => ID, { description: 'Identifies the person in this organization.' })
  readonly id: UserId;

  @Field(() => String, { nullable: true, description: 'Their name.' })
  readonly name: string | null;

  @Field(() => String, { nullable: true, description: 'Their e-mail address.' })
  readonly email: string | null;

  @Field(() => roles, { description: 'What they are in their organization.' })
  readonly role: Role;
}
