import { Field, ObjectType } from 'type-graphql';

/** A key's place in a line of rotations, as GraphQL shows it: its fields come from the key. */
@ObjectType('Rotation', {
  description: 'Which key it took the place of, and which took its place.',
  simpleResolvers: true,
})
export class RotationType {
  @Field(() => Date, {
    nullable: true,
    description:
      'When its grace period ends and it stops by itself; null: it does not, or it was not rotated.',
  })
  readonly retiresAt: Date | null;
}
