import {
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
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
import { literalParts } from './literal-parts';

/** A field's arguments as the client sent them: not coerced, not checked. */
type SentArguments = Readonly<Record<string, unknown>>;

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
  /** What it costs to resolve a field once, without its selection. */
  readonly fieldCost: (field: GraphQLField<unknown, unknown>, items: number) => number;
  /** From here on a cost need not be exact. */
  readonly maxCost: number;
}

/**
 * Estimates how many fields an operation resolves. A field costs what `fieldCost` says, and 1 more
 * for each item of its list literals and fields of its object literals, which are read again each
 * time the field is resolved. Its selection costs as often as the list that it answers with is
 * long: the page asked for (`first`, `last`; the default page if neither; 200 at most), the number
 * of representations for `_entities`, or what `listSizes` says. Where it answers with a connection,
 * that is the length of the connection's lists. Introspection is counted exactly.
 * `@skip` and `@include` are not honoured.
 *
 * The document must have passed validation. Takes time linear in its tokens plus `maxCost`.
 */
export function operationCost(input: CostInput): number {
  const rootType = input.schema.getRootType(input.operation.operation);
  return rootType ? new OperationCost(input).whole(input.operation.selectionSet, rootType) : 0;
}

const representations: ListSizes = {
  'Query._entities': (args) =>
    Array.isArray(args.representations) ? args.representations.length : 1,
};

/** What a selection costs: once, and for each item of the page it is selected from. */
interface Cost {
  readonly once: number;
  readonly perItem: number;
}

const free: Cost = { once: 0, perItem: 0 };

function once(cost: number): Cost {
  return { once: saturate(cost), perItem: 0 };
}

function add(left: Cost, right: Cost): Cost {
  return {
    once: saturate(left.once + right.once),
    perItem: saturate(left.perItem + right.perItem),
  };
}

function total({ once, perItem }: Cost, items: number): number {
  return saturate(once + items * perItem);
}

class OperationCost {
  private readonly fragments: Fragments;
  private readonly fragmentCosts = new Map<string, Cost>();
  private readonly introspection: IntrospectionCount;
  private readonly variables: Record<string, unknown> = {};

  constructor(private readonly input: CostInput) {
    this.fragments = fragmentsOf(input.document);
    this.introspection = new IntrospectionCount(input.schema, this.fragments, input.maxCost);
    for (const { variable, defaultValue } of input.operation.variableDefinitions ?? []) {
      const name = variable.name.value;
      const sent = Object.hasOwn(input.variables, name) ? input.variables[name] : undefined;
      this.variables[name] = sent === undefined && defaultValue ? untyped(defaultValue) : sent;
    }
  }

  /** What a selection costs whose lists have one item each. */
  whole(set: SelectionSetNode, parent: GraphQLNamedType): number {
    return total(this.selection(set, parent), 1);
  }

  private selection(set: SelectionSetNode, parent: GraphQLNamedType): Cost {
    return set.selections.reduce((sum, each) => add(sum, this.selected(each, parent)), free);
  }

  private selected(selection: SelectionNode, parent: GraphQLNamedType): Cost {
    if (selection.kind === Kind.FIELD) return this.field(selection, parent);
    if (selection.kind === Kind.FRAGMENT_SPREAD) return this.spread(selection.name.value);
    const condition = selection.typeCondition;
    return this.fragmentOn(condition?.name.value ?? parent.name, selection.selectionSet);
  }

  private fragmentOn(typeName: string, set: SelectionSetNode): Cost {
    const type = this.input.schema.getType(typeName);
    return type === undefined ? free : this.selection(set, type);
  }

  private spread(name: string): Cost {
    const known = this.fragmentCosts.get(name);
    if (known !== undefined) return known;
    this.fragmentCosts.set(name, free);
    const fragment = this.fragments.get(name);
    if (fragment === undefined) return free;
    const cost = this.fragmentOn(fragment.typeCondition.name.value, fragment.selectionSet);
    this.fragmentCosts.set(name, cost);
    return cost;
  }

  private field(node: FieldNode, parent: GraphQLNamedType): Cost {
    const name = node.name.value;
    if (name === '__schema') return once(this.introspection.schemaField(node));
    if (name === '__type') {
      return once(this.introspection.typeField(node, this.argument(node, 'name')));
    }
    const composite = isObjectType(parent) || isInterfaceType(parent);
    const definition = composite ? parent.getFields()[name] : undefined;
    if (definition === undefined) return once(1); // __typename
    const size = this.listSize(node, parent, definition);
    const own = this.input.fieldCost(definition, size ?? 1) + literalParts(node);
    if (node.selectionSet === undefined) return once(own);
    const below = this.selection(node.selectionSet, getNamedType(definition.type));
    if (!isListType(getNullableType(definition.type))) return once(own + total(below, size ?? 1));
    const item = total(below, 1);
    return size === undefined ? { once: own, perItem: item } : once(own + size * item);
  }

  // undefined: the field is no list, or one whose size the field above it tells.
  private listSize(
    node: FieldNode,
    parent: GraphQLNamedType,
    definition: GraphQLField<unknown, unknown>,
  ): number | undefined {
    const coordinate = `${parent.name}.${definition.name}`;
    const told = this.input.listSizes[coordinate] ?? representations[coordinate];
    if (told !== undefined) {
      const args = definition.args.map(({ name }) => [name, this.argument(node, name)] as const);
      return Math.max(0, told(Object.fromEntries(args)));
    }
    const paging = definition.args.filter(({ name }) => name === 'first' || name === 'last');
    if (paging.length === 0) return undefined;
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
