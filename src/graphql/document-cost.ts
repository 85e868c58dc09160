import {
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  valueFromASTUntyped,
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { pageSize } from '../kernel/pages';
import { fragmentsOf, type Fragments } from './document-fragments';
import { IntrospectionCount } from './introspection-count';
import { saturate } from './limit-refusal';

/** A field's arguments as the client sent them: not coerced, not checked. */
export type SentArguments = Readonly<Record<string, unknown>>;

/**
 * How many items a list field may answer with, by the field's coordinate (`ApiKey.usage`), where
 * arguments other than `first` and `last` say so.
 */
export type ListSizes = Readonly<Record<string, (args: SentArguments) => number>>;

/** What the cost of an operation is estimated from. */
export interface CostInput {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: SentArguments;
  readonly listSizes: ListSizes;
  /** From here on a cost need not be exact. */
  readonly maxCost: number;
}

/**
 * Estimates how many fields an operation resolves. A field costs 1, and 1 more for each item of
 * its list literals and fields of its object literals, which are read again each time the field
 * is resolved. Its selection costs as often as the list that it answers with is long: the page
 * asked for (`first`, `last`; the default page if neither; 200 at most), the number of
 * representations for `_entities`, or what `listSizes` says. Introspection is counted exactly.
 * `@skip` and `@include` are not honoured.
 *
 * The document must have passed validation. Takes time linear in its tokens plus `maxCost`.
 */
export function operationCost(input: CostInput): number {
  const rootType = input.schema.getRootType(input.operation.operation);
  return rootType ? new OperationCost(input).selection(input.operation.selectionSet, rootType) : 0;
}

const representations: ListSizes = {
  'Query._entities': (args) =>
    Array.isArray(args.representations) ? args.representations.length : 1,
};

class OperationCost {
  private readonly fragments: Fragments;
  private readonly fragmentCosts = new Map<string, number>();
  private readonly introspection: IntrospectionCount;
  private readonly variables: Record<string, unknown> = {};
  private readonly listSizes: ReadonlyMap<string, (args: SentArguments) => number>;

  constructor(private readonly input: CostInput) {
    this.fragments = fragmentsOf(input.document);
    this.introspection = new IntrospectionCount(input.schema, this.fragments, input.maxCost);
    this.listSizes = new Map(Object.entries({ ...representations, ...input.listSizes }));
    for (const { variable, defaultValue } of input.operation.variableDefinitions ?? []) {
      const name = variable.name.value;
      const sent = Object.hasOwn(input.variables, name) ? input.variables[name] : undefined;
      this.variables[name] = sent === undefined && defaultValue ? untyped(defaultValue) : sent;
    }
  }

  selection(set: SelectionSetNode, parent: GraphQLNamedType): number {
    let total = 0;
    for (const selection of set.selections) {
      total = saturate(total + this.selected(selection, parent));
    }
    return total;
  }

  private selected(selection: SelectionNode, parent: GraphQLNamedType): number {
    if (selection.kind === Kind.FIELD) return this.field(selection, parent);
    if (selection.kind === Kind.FRAGMENT_SPREAD) return this.spread(selection.name.value);
    const condition = selection.typeCondition;
    return this.fragmentOn(condition?.name.value ?? parent.name, selection.selectionSet);
  }

  private fragmentOn(typeName: string, set: SelectionSetNode): number {
    const type = this.input.schema.getType(typeName);
    return type === undefined ? 0 : this.selection(set, type);
  }

  private spread(name: string): number {
    const known = this.fragmentCosts.get(name);
    if (known !== undefined) return known;
    this.fragmentCosts.set(name, 0);
    const fragment = this.fragments.get(name);
    if (fragment === undefined) return 0;
    const cost = this.fragmentOn(fragment.typeCondition.name.value, fragment.selectionSet);
    this.fragmentCosts.set(name, cost);
    return cost;
  }

  private field(node: FieldNode, parent: GraphQLNamedType): number {
    const name = node.name.value;
    if (name === '__schema') return this.introspection.schemaField(node);
    if (name === '__type') return this.introspection.typeField(node, this.argument(node, 'name'));
    const composite = isObjectType(parent) || isInterfaceType(parent);
    const definition = composite ? parent.getFields()[name] : undefined;
    const own = 1 + literalParts(node);
    if (definition === undefined || node.selectionSet === undefined) return own;
    const once = this.selection(node.selectionSet, getNamedType(definition.type));
    return saturate(own + this.listSize(node, parent, definition) * once);
  }

  private listSize(
    node: FieldNode,
    parent: GraphQLNamedType,
    definition: GraphQLField<unknown, unknown>,
  ): number {
    const told = this.listSizes.get(`${parent.name}.${definition.name}`);
    if (told !== undefined) {
      const args = definition.args.map(({ name }) => [name, this.argument(node, name)] as const);
      return Math.max(0, told(Object.fromEntries(args)));
    }
    const paging = definition.args.filter(({ name }) => name === 'first' || name === 'last');
    if (paging.length === 0) return 1;
    const sizes = paging
      .map(({ name, defaultValue }) => this.argument(node, name) ?? defaultValue)
      .filter((size): size is number => typeof size === 'number');
    if (sizes.length === 0) return pageSize.default;
    return Math.min(pageSize.max, Math.max(0, ...sizes));
  }

  private argument(node: FieldNode, name: string): unknown {
    const argument = node.arguments?.find((candidate) => candidate.name.value === name);
    return argument && untyped(argument.value, this.variables);
  }
}

function untyped(node: ValueNode, variables: Record<string, unknown> = {}): unknown {
  return valueFromASTUntyped(node, variables);
}

function literalParts(field: FieldNode): number {
  let parts = 0;
  const count = (value: ValueNode): void => {
    if (value.kind === Kind.LIST) {
      parts += value.values.length;
      value.values.forEach(count);
    } else if (value.kind === Kind.OBJECT) {
      parts += value.fields.length;
      for (const { value: inner } of value.fields) count(inner);
    }
  };
  for (const { value } of field.arguments ?? []) count(value);
  return parts;
}
