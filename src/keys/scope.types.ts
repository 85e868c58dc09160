import { Field, ObjectType, registerEnumType } from 'type-graphql';
import type { ScopeGroup } from '../kernel/scopes';

const scopeGroups = { READ: 'READ', WRITE: 'WRITE', ADMIN: 'ADMIN' } as const;
registerEnumType(scopeGroups, {
  name: 'ScopeGroup',
  description: 'The heading a scope stands under.',
  valuesConfig: {
    READ: { description: 'Sees.' },
    WRITE: { description: 'Changes.' },
    ADMIN: { description: 'Decides.' },
  },
});

/** A scope, as GraphQL shows it. */
@ObjectType('Scope', {
  description: 'One permission of the product’s catalogue.',
  simpleResolvers: true,
})
export class ScopeType {
  @Field({ description: 'Exactly as keys carry it, such as contacts:read.' })
  readonly name: string;

  @Field({ description: 'What a form shows.' })
  readonly title: string;

  @Field({ description: 'What a key with it may do.' })
  readonly description: string;

  @Field(() => scopeGroups, { description: 'The heading it stands under.' })
  readonly group: ScopeGroup;
}
