import { Directive, Field, ObjectType } from 'type-graphql';
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
      endCursor: page.edges.at(-1)?.cursor ?? null,
    },
  };
}
