import {
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSchema,
  isWrappingType,
  Kind,
  type FieldNode,
  type GraphQLSchema,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Fragments } from './document-fragments';

/** What introspection can stand on: the schema, a type, field, argument, enum value, directive. */
type SchemaPart = object;

const hasArguments = (part: SchemaPart): part is { args: readonly SchemaPart[] } => 'args' in part;
const hasType = (part: SchemaPart): part is { type: SchemaPart } => 'type' in part;

/**
 * Counts the fields that introspection resolves by walking the schema as execution would, because
 * no fixed factor tells the standard query, which is nested but narrow, from a bomb. All counting
 * of one instance stops after `maxSteps` selections; from then on every count is infinite.
 */
export class IntrospectionCount {
  private steps = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly fragments: Fragments,
    private readonly maxSteps: number,
  ) {}

  /** The fields that `__schema` resolves, itself included. */
  schemaField(node: FieldNode): number {
    return this.field(node, [this.schema]);
  }

  /** The fields that `__type(name:)` resolves, itself included. */
  typeField(node: FieldNode, name: unknown): number {
    const type = typeof name === 'string' ? this.schema.getType(name) : undefined;
    return this.field(node, type === undefined ? [] : [type]);
  }

  private field(node: FieldNode, answers: readonly SchemaPart[]): number {
    let fields = 1;
    if (node.selectionSet === undefined) return fields;
    for (const answer of answers) fields += this.selection(node.selectionSet, answer);
    return fields;
  }

  private selection(set: SelectionSetNode | undefined, part: SchemaPart): number {
    let fields = 0;
    for (const selection of set?.selections ?? []) {
      if (++this.steps > this.maxSteps) return Infinity;
      fields += this.selected(selection, part);
    }
    return fields;
  }

  private selected(selection: SelectionNode, part: SchemaPart): number {
    if (selection.kind === Kind.FIELD) {
      return this.field(selection, partsOf(this.schema, part, selection.name.value));
    }
    if (selection.kind === Kind.INLINE_FRAGMENT)
      return this.selection(selection.selectionSet, part);
    return this.selection(this.fragments.get(selection.name.value)?.selectionSet, part);
  }
}

/** The parts that a field of the introspection schema leads to from one part; none for scalars. */
function partsOf(schema: GraphQLSchema, part: SchemaPart, field: string): readonly SchemaPart[] {
  switch (field) {
    case 'types':
      return isSchema(part) ? Object.values(part.getTypeMap()) : [];
    case 'directives':
      return isSchema(part) ? part.getDirectives() : [];
    case 'queryType':
      return isSchema(part) ? present(part.getQueryType()) : [];
    case 'mutationType':
      return isSchema(part) ? present(part.getMutationType()) : [];
    case 'subscriptionType':
      return isSchema(part) ? present(part.getSubscriptionType()) : [];
    case 'fields':
      return isObjectType(part) || isInterfaceType(part) ? Object.values(part.getFields()) : [];
    case 'interfaces':
      return isObjectType(part) || isInterfaceType(part) ? part.getInterfaces() : [];
    case 'inputFields':
      return isInputObjectType(part) ? Object.values(part.getFields()) : [];
    case 'enumValues':
      return isEnumType(part) ? part.getValues() : [];
    case 'possibleTypes':
      return isAbstractType(part) ? schema.getPossibleTypes(part) : [];
    case 'ofType':
      return isWrappingType(part) ? [part.ofType] : [];
    case 'args':
      return hasArguments(part) ? part.args : [];
    case 'type':
      return hasType(part) ? [part.type] : [];
    default:
      return [];
  }
}

function present(part: SchemaPart | null | undefined): readonly SchemaPart[] {
  return part == null ? [] : [part];
}
