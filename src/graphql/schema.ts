import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { buildSubgraphSchema, printSubgraphSchema } from '@apollo/subgraph';
import { parse, type GraphQLScalarType, type GraphQLSchema } from 'graphql';
import { buildSchema, createResolversMap, type BuildSchemaOptions } from 'type-graphql';
import type { ScopeCatalogue } from '../kernel/scopes';
import type { GraphQLResolverMap } from '@apollo/subgraph/dist/schema-helper';
import { checkRepresentations, type EntityReference } from './entities';
import { DateTimeScalar, DurationScalar, JsonObjectScalar } from './scalars';
import { enforceScopes } from './scope-directive';

/** What the rooms bring to the schema. */
export interface SchemaParts {
  /** Classes with type-graphql's `@Resolver`. */
  readonly resolvers: BuildSchemaOptions['resolvers'];
  /** The objects that answer, one of each class; none where the schema is only to be printed. */
  readonly instances: readonly object[];
  /** By the entity's type name. */
  readonly references: Readonly<Record<string, EntityReference>>;
}

const federation = `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9",
          import: ["@key", "@shareable", "@authenticated", "@requiresScopes", "@tag"])
`;

/** type-graphql makes these types and cannot describe them. */
const rootTypes = { Query: 'What can be asked.', Mutation: 'What can be changed.' };

const scalars: Record<string, GraphQLScalarType> = {
  DateTime: DateTimeScalar,
  Duration: DurationScalar,
  JSONObject: JsonObjectScalar,
};

/**
 * Builds the subgraph: type-graphql's classes, federation's machinery, enforced access directives.
 * @throws DirectiveError when an access directive cannot be enforced
 */
export async function createSchema(
  { resolvers, instances, references }: SchemaParts,
  catalogue: ScopeCatalogue,
): Promise<GraphQLSchema> {
  const plain = await buildSchema({
    resolvers,
    container: { get: (wanted) => instances.find((each) => each.constructor === wanted) },
    scalarsMap: [{ type: Date, scalar: DateTimeScalar }],
    validate: false, // services check their input themselves
    skipCheck: true, // buildSubgraphSchema checks it
  });
  for (const [name, description] of Object.entries(rootTypes)) {
    const type = plain.getType(name);
    if (type) type.description = description;
  }
  const generated: Record<string, object> = { ...createResolversMap(plain), ...scalars };
  for (const [type, reference] of Object.entries(references)) {
    generated[type] = { ...generated[type], ...reference };
  }
  const schema = buildSubgraphSchema({
    typeDefs: parse(federation + printSchemaWithDirectives(plain)),
    // type-graphql and Apollo describe the same map in types that do not meet.
    resolvers: generated as GraphQLResolverMap<unknown>,
  });
  checkRepresentations(schema);
  enforceScopes(schema, catalogue);
  return schema;
}

/** The subgraph's SDL as gateways compose it; graphql-js's own printer would drop the directives. */
export function printSdl(schema: GraphQLSchema): string {
  return `${printSubgraphSchema(schema).trimEnd()}\n`;
}

/**
 * The SDL without `@authenticated` and `@requiresScopes`, for gateways that refuse a supergraph
 * they cannot enforce ("for: SECURITY but is unsupported"); the subgraph enforces them all the same.
 */
export function withoutAccessDirectives(sdl: string): string {
  return sdl
    .replaceAll(/,? "@(?:authenticated|requiresScopes)"/g, '')
    .replaceAll(/ @authenticated\b/g, '')
    .replaceAll(/ @requiresScopes\(scopes: \[\[[^()]*\]\]\)/g, '');
}

/** Makes `_service` answer with this SDL. */
export function serveSdl(schema: GraphQLSchema, sdl: string): void {
  const service = schema.getQueryType()?.getFields()._service;
  if (service === undefined) throw new Error('the schema is no subgraph');
  service.resolve = () => ({ sdl });
}
