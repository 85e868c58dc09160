import { GraphQLError, GraphQLScalarType, visit } from 'graphql';
import { GraphQLDateTimeISO, GraphQLISO8601Duration, GraphQLJSONObject } from 'graphql-scalars';

/** `DateTime`: RFC 3339 in, UTC with milliseconds out. */
export const DateTimeScalar = new GraphQLScalarType({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  description: 'An instant as RFC 3339 has it, such as 2026-01-31T23:59:59.000Z; printed in UTC.',
});

/** `Duration`: ISO 8601. */
export const DurationScalar = new GraphQLScalarType({
  ...GraphQLISO8601Duration.toConfig(),
  name: 'Duration',
  description: 'A length of time as ISO 8601 has it, such as P7D, PT12H or PT0S.',
});

const jsonObject = GraphQLJSONObject.toConfig();

/** `JSONObject`: an object of any JSON values. */
export const JsonObjectScalar = new GraphQLScalarType({
  ...jsonObject,
  name: 'JSONObject',
  description: 'A JSON object with members of any kind.',
  parseLiteral(literal, variables) {
    // graphql-scalars would leave its member out without a word.
    visit(literal, {
      EnumValue(node) {
        throw new GraphQLError(
          `JSONObject cannot represent ${node.value}: write it as a string, "${node.value}".`,
          { nodes: node },
        );
      },
    });
    return jsonObject.parseLiteral(literal, variables);
  },
});
