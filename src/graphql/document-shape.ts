import { Kind, visit, type DocumentNode, type SelectionSetNode } from 'graphql';
import { fragmentsOf, type Fragments } from './document-fragments';
import { saturate } from './limit-refusal';

/** The size of a document, in the units of `DocumentLimits`. */
export interface DocumentShape {
  readonly depth: number;
  readonly aliases: number;
  readonly fragments: number;
  readonly rootFields: number;
  readonly directives: number;
  /** Of the longest name, in UTF-16 units. */
  readonly nameLength: number;
}

/** A number for a selection set, from the numbers of what it holds. */
interface Measure {
  field(below: SelectionSetNode | undefined, measured: (set: SelectionSetNode) => number): number;
  join(total: number, part: number): number;
}

const depth: Measure = {
  field: (below, measured) => 1 + (below === undefined ? 0 : measured(below)),
  join: Math.max,
};

const topFields: Measure = {
  field: () => 1,
  join: (total, part) => saturate(total + part),
};

/**
 * Measures a document in time linear in its tokens: each fragment is measured once, however often
 * it is spread. Fragment cycles, which the specified rules report, count as empty where they close.
 */
export function documentShape(document: DocumentNode): DocumentShape {
  return {
    ...countedAsWritten(document),
    depth: largestOperation(document, depth),
    rootFields: largestOperation(document, topFields),
  };
}

function countedAsWritten(
  document: DocumentNode,
): Pick<DocumentShape, 'aliases' | 'fragments' | 'directives' | 'nameLength'> {
  let aliases = 0;
  let fragments = 0;
  let directives = 0;
  let nameLength = 0;
  const countFragment = (): void => {
    fragments += 1;
  };
  visit(document, {
    Field(node) {
      if (node.alias !== undefined) aliases += 1;
    },
    FragmentDefinition: countFragment,
    FragmentSpread: countFragment,
    InlineFragment: countFragment,
    Directive() {
      directives += 1;
    },
    Name({ value }) {
      nameLength = Math.max(nameLength, value.length);
    },
  });
  return { aliases, fragments, directives, nameLength };
}

function largestOperation(document: DocumentNode, measure: Measure): number {
  const measured = measuring(fragmentsOf(document), measure);
  let largest = 0;
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    largest = Math.max(largest, measured(definition.selectionSet));
  }
  return largest;
}

function measuring(fragments: Fragments, measure: Measure): (set: SelectionSetNode) => number {
  const known = new Map<string, number>();
  const spread = (name: string): number => {
    let found = known.get(name);
    if (found === undefined) {
      known.set(name, 0);
      const fragment = fragments.get(name);
      found = fragment === undefined ? 0 : measured(fragment.selectionSet);
      known.set(name, found);
    }
    return found;
  };
  const measured = (set: SelectionSetNode): number => {
    let total = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        total = measure.join(total, measure.field(selection.selectionSet, measured));
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        total = measure.join(total, measured(selection.selectionSet));
      } else {
        total = measure.join(total, spread(selection.name.value));
      }
    }
    return total;
  };
  return measured;
}
