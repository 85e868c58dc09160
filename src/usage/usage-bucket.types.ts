import { ArgsType, Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { UsageGranularity } from './usage-buckets';

const granularities = { HOUR: 'HOUR', DAY: 'DAY' } as const;
registerEnumType(granularities, {
  name: 'UsageGranularity',
  description: 'How long a bucket of usage is.',
  valuesConfig: {
    HOUR: { description: 'An hour; at most 744 of them.' },
    DAY: { description: 'A day in UTC; at most 400 of them.' },
  },
});

/** How many requests there were in an hour or day, as GraphQL shows it. */
@ObjectType('UsageBucket', {
  description:
    'How many requests there were in an hour or day of UTC. Counts end at 2,147,483,647.',
  simpleResolvers: true,
})
export class UsageBucketType {
  @Field(() => Date, { description: 'Its first instant.' })
  readonly start: Date;

  @Field(() => Date, { description: 'The first instant after it.' })
  readonly end: Date;

  @Field(() => Int, { description: 'Requests with the outcome VALID.' })
  readonly allowed: number;

  @Field(() => Int, { description: 'Requests with any other outcome.' })
  readonly refused: number;
}

/** The arguments of usage. */
@ArgsType()
export class UsageArgs {
  @Field(() => Date, {
    nullable: true,
    description:
      'From this instant on, or rather from the start of its bucket; left out: 24 hours (HOUR) or 30 days (DAY) before `to`.',
  })
  readonly from?: Date | null;

  @Field(() => Date, {
    nullable: true,
    description: 'Before this instant, or rather before the end of its bucket; left out: now.',
  })
  readonly to?: Date | null;

  @Field(() => granularities, {
    nullable: true,
    description: 'How long buckets are; DAY unless told.',
  })
  readonly granularity?: UsageGranularity | null;
}
