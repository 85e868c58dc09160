import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ForwardPageArgs, PageInfoType } from '../graphql/page.types';
import type { VerificationOutcome } from '../kernel/key-request';
import { verificationOutcomes } from '../keys/verification.types';
import type { ApiKeyRequest } from './api-key-request';

/** A recorded request, as GraphQL shows it. */
@ObjectType('ApiKeyRequest', {
  description: 'A request made with a key, or a verification that another service asked for.',
  simpleResolvers: true,
})
export class ApiKeyRequestType {
  @Field(() => ID, { description: 'The request, as its answer’s x-request-id named it.' })
  readonly requestId: string;

  @Field(() => Date, { description: 'When the key was judged.' })
  readonly at: Date;

  @Field({ description: 'Which subgraph or service was asked.' })
  readonly service: string;

  @Field(() => String, { nullable: true, description: 'The name of the operation, if it had one.' })
  readonly operation: string | null;

  @Field(() => verificationOutcomes, { description: 'What the key was worth for it.' })
  readonly outcome: VerificationOutcome;

  @Field(() => String, { nullable: true, description: 'The address it came from.' })
  readonly ip: string | null;

  @Field(() => String, { nullable: true, description: 'The program it came from, as it says.' })
  readonly userAgent: string | null;

  @Field(() => Int, { nullable: true, description: 'How long it took, in milliseconds.' })
  readonly durationMs: number | null;
}

/** An edge of a list of requests. */
@ObjectType('ApiKeyRequestEdge', {
  description: 'A request and its place in a list.',
  simpleResolvers: true,
})
class ApiKeyRequestEdgeType {
  @Field({ description: 'The place, for after.' })
  readonly cursor: string;

  @Field(() => ApiKeyRequestType, { description: 'The request.' })
  readonly node: ApiKeyRequest;
}

/** A page of requests. */
@ObjectType('ApiKeyRequestConnection', {
  description: 'A page of requests (GraphQL Cursor Connections Specification).',
  simpleResolvers: true,
})
export class ApiKeyRequestConnectionType {
  @Field(() => [ApiKeyRequestEdgeType], { description: 'The requests with their places.' })
  readonly edges: readonly ApiKeyRequestEdgeType[];

  @Field(() => [ApiKeyRequestType], { description: 'The requests.' })
  readonly nodes: readonly ApiKeyRequest[];

  @Field(() => PageInfoType, {
    description:
      'Where the page lies. With a filter that few requests meet, a page may have room left while hasNextPage says that there is more to look at after endCursor.',
  })
  readonly pageInfo: PageInfoType;
}

/** Which requests to list. */
@InputType('ApiKeyRequestFilter', {
  description: 'Which requests: those that meet every member given.',
})
class ApiKeyRequestFilterInput {
  @Field(() => ID, { nullable: true, description: 'This request.' })
  readonly requestId?: string | null;

  @Field(() => Date, { nullable: true, description: 'From this instant on.' })
  readonly from?: Date | null;

  @Field(() => Date, { nullable: true, description: 'Before this instant.' })
  readonly to?: Date | null;

  @Field(() => [verificationOutcomes], { nullable: true, description: 'Any of these.' })
  readonly outcome?: VerificationOutcome[] | null;

  @Field(() => String, { nullable: true, description: 'From exactly this address.' })
  readonly ip?: string | null;

  @Field(() => String, { nullable: true, description: 'Of exactly this service.' })
  readonly service?: string | null;

  @Field(() => String, { nullable: true, description: 'With exactly this operation name.' })
  readonly operation?: string | null;
}

/** The arguments of a list of requests. */
@ArgsType()
export class ApiKeyRequestListArgs extends ForwardPageArgs {
  @Field(() => ApiKeyRequestFilterInput, {
    nullable: true,
    description: 'Which requests; left out: all that are kept.',
  })
  readonly filter?: ApiKeyRequestFilterInput | null;
}
