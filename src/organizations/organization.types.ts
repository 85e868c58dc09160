import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** An organization, as GraphQL shows it. */
@Directive('@key(fields: "id")')
@ObjectType('Organization', {
  description: 'A customer of the product: keys, people and records belong to exactly one.',
  simpleResolvers: true,
})
export class OrganizationType {
  @Field(() => ID, { description: 'Identifies the organization in every subgraph.' })
  readonly id: string;

  @Field({ description: 'What people call it.' })
  readonly name: string;

  @Field({ description: 'The plan it is on, as the product names it.' })
  readonly plan: string;
}
