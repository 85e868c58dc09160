import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { PageArgs, PageInfoType } from '../graphql/page.types';
import { JsonObjectScalar } from '../graphql/scalars';
import type { AuditEvent } from './audit-event';
import { ActorType, toActorType } from './actor.types';

/** A recorded change, as GraphQL shows it. */
@ObjectType('AuditEvent', {
  description: 'A change that was made, and by whom. Events are only ever added.',
  simpleResolvers: true,
})
export class AuditEventType {
  @Field(() => ID, { description: 'Identifies the event.' })
  readonly id: string;

  @Field(() => Date, { description: 'When it was made.' })
  readonly at: Date;

  @Field(() => ActorType, { description: 'Who made it, under the name they had then.' })
  readonly actor: ActorType;

  @Field({ description: 'What was done, such as api_key.created.' })
  readonly action: string;

  @Field({ description: 'What kind of thing it was done to, such as ApiKey.' })
  readonly targetType: string;

  @Field(() => ID, { description: 'Which one.' })
  readonly targetId: string;

  @Field(() => String, { nullable: true, description: 'The name it had then.' })
  readonly targetName: string | null;

  @Field(() => JsonObjectScalar, {
    description: 'What changed, as { field: { from, to } }; never a secret.',
  })
  readonly changes: object;

  @Field(() => ID, { description: 'The request that made it.' })
  readonly requestId: string;

  @Field(() => String, { nullable: true, description: 'The address it came from.' })
  readonly ip: string | null;
}

/** An edge of a list of events. */
@ObjectType('AuditEventEdge', {
  description: 'An event and its place in a list.',
  simpleResolvers: true,
})
class AuditEventEdgeType {
  @Field({ description: 'The place, for after and before.' })
  readonly cursor: string;

  @Field(() => AuditEventType, { description: 'The event.' })
  readonly node: AuditEventType;
}

/** A page of events. */
@ObjectType('AuditEventConnection', {
  description: 'A page of events (GraphQL Cursor Connections Specification).',
  simpleResolvers: true,
})
export class AuditEventConnectionType {
  @Field(() => [AuditEventEdgeType], { description: 'The events with their places.' })
  readonly edges: readonly AuditEventEdgeType[];

  @Field(() => [AuditEventType], { description: 'The events.' })
  readonly nodes: readonly AuditEventType[];

  @Field(() => PageInfoType, { description: 'Where the page lies.' })
  readonly pageInfo: PageInfoType;

  @Field(() => Int, {
    description: 'How many events the whole list has; counted only when asked, and up to 100,000.',
  })
  readonly totalCount: () => Promise<number>;
}

/** Which events to list. */
@InputType('AuditEventFilter', { description: 'Which events: those that meet every member given.' })
class AuditEventFilterInput {
  @Field(() => Date, { nullable: true, description: 'From this instant on.' })
  readonly from?: Date | null;

  @Field(() => Date, { nullable: true, description: 'Before this instant.' })
  readonly to?: Date | null;

  @Field(() => [String], { nullable: true, description: 'Any of these, such as api_key.revoked.' })
  readonly actions?: string[] | null;

  @Field(() => ID, { nullable: true, description: 'Made by the actor with this id.' })
  readonly actorId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Done to the thing with this id.' })
  readonly targetId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Made by this request.' })
  readonly requestId?: string | null;
}

/** The arguments of the organization's list of events. */
@ArgsType()
export class AuditEventListArgs extends PageArgs {
  @Field(() => AuditEventFilterInput, {
    nullable: true,
    description: 'Which events; left out: all.',
  })
  readonly filter?: AuditEventFilterInput | null;
}

/** The GraphQL shape of an event. */
export function toAuditEventType(event: AuditEvent): AuditEventType {
  return { ...event, actor: toActorType(event.actor) };
}
