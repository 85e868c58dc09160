import { ArgsType, Directive, Field, Int, ObjectType } from 'type-graphql';
import type { Page } from '../kernel/pages';

/** Relay's PageInfo, which every subgraph may define alike. */
@Directive('@shareable')
@ObjectType('PageInfo', {
  description: 'Where a page lies in its list (GraphQL Cursor Connections Specification).',
  simpleResolvers: true,
})
export class PageInfoType {
  @Field({ description: 'Whether more follows after this page.' })
  readonly hasNextPage: boolean;

  @Field({ description: 'Whether something comes before this page.' })
  readonly hasPreviousPage: boolean;

  @Field(() => String, { nullable: true, description: 'The cursor of the first edge.' })
  readonly startCursor: string | null;

  @Field(() => String, { nullable: true, description: 'The cursor of the last edge.' })
  readonly endCursor: string | null;
}

/** The arguments of a list that is read from its start. */
@ArgsType()
export class ForwardPageArgs {
  @Field(() => Int, {
    nullable: true,
    description: 'How many, from the start or after a cursor; 50 unless told, 200 at most.',
  })
  readonly first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what follows this cursor.' })
  readonly after?: string | null;
}

/** The arguments of a list that is read from either end. */
@ArgsType()
export class PageArgs extends ForwardPageArgs {
  @Field(() => Int, {
    nullable: true,
    description: 'How many, from the end or before a cursor; 200 at most.',
  })
  readonly last?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what comes before this cursor.' })
  readonly before?: string | null;
}

/** A page in the shape of a Relay connection, without its total. */
export interface Connection<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly nodes: readonly Node[];
  readonly pageInfo: PageInfoType;
}

/** The Relay connection of a page. */
export function toConnection<Node>(page: Page<Node>): Connection<Node> {
  return {
    edges: page.edges,
    nodes: page.edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      startCursor: page.edges.at(0)?.cursor ?? null,
      endCursor: page.endCursor ?? page.edges.at(-1)?.cursor ?? null,
    },
  };
}
