import { Kind, type DocumentNode, type FragmentDefinitionNode } from 'graphql';

/** The fragments that a document defines, by name. */
export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

/** Collects a document's fragments; of two with one name, which validation refuses, the last. */
export function fragmentsOf(document: DocumentNode): Fragments {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  return fragments;
}
