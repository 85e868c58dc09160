import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { displayName, type Actor, type ActorKind } from '../kernel/actor';

const actorKinds = { API_KEY: 'API_KEY', USER: 'USER', SYSTEM: 'SYSTEM' } as const;

registerEnumType(actorKinds, {
  name: 'ActorKind',
  description: 'What kind of caller did something.',
  valuesConfig: {
    API_KEY: { description: 'A program that presented an API key.' },
    USER: { description: 'A person.' },
    SYSTEM: { description: 'Keyward itself, or its command line.' },
  },
});

/** Who did something, as GraphQL shows it. */
@ObjectType('Actor', {
  description: 'Who did something, under the name they had at that time.',
  simpleResolvers: true,
})
export class ActorType {
  @Field(() => actorKinds, { description: 'What kind of caller it was.' })
  readonly kind: ActorKind;

  @Field(() => ID, { nullable: true, description: 'The id of the key or person; null for System.' })
  readonly id: string | null;

  @Field({ description: 'The name it had at that time.' })
  readonly name: string;

  @Field({
    description: 'How an audit trail shows it: "API Key: CI/CD Pipeline", "Jane Roe", "System".',
  })
  readonly displayName: string;
}

/** The GraphQL shape of an actor. */
export function toActorType(actor: Actor): ActorType {
  return { ...actor, displayName: displayName(actor) };
}
