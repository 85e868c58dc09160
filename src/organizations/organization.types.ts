import { Directive, Field, ID, ObjectType } from 'type-graphql';
import type { OrganizationId } from '../kernel/ids';

/**
 * An organization, as GraphQL shows it. Whoever has its id has it: the rest is loaded when it is
 * asked for, by `OrganizationResolver`.
 */
@Directive('@key(fields: "id")')
@ObjectType('Organization', {
  description: 'A customer of the product: keys, people and records belong to exactly one.',
  simpleResolvers: true,
})
export class OrganizationType {
  @Field(() => ID, { description: 'Identifies the organization in every subgraph.' })
  readonly id: OrganizationId;
}
