import {
  isInterfaceType,
  isObjectType,
  Kind,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { requirementsOf, type Requirements } from '../graphql/access-directives';
import type { FieldRefusedError } from '../kernel/errors';
import { unauthenticated } from '../kernel/principal';
import { insufficientScope } from '../kernel/scopes';
import { withoutRefused, type Parent, type PermittedDocument } from './refused-fields';
import { refuseRenamedInSupergraph } from './unread-directives';

type Scopes = ReadonlySet<string> | undefined;

/** What a supergraph's access directives ask of callers. */
export class SupergraphRules {
  readonly #byCoordinate = new Map<string, Requirements>();
  readonly #met = new WeakMap<DocumentNode, ReadonlySet<Requirements>>();

  /**
   * Reads the directives once.
   * @throws DirectiveError on an empty list of scopes, or a directive under another name
   */
  constructor(private readonly schema: GraphQLSchema) {
    refuseRenamedInSupergraph(schema);
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) && !isInterfaceType(type)) continue;
      for (const { name } of Object.values(type.getFields())) {
        const requirements = askedFor(type, name, schema);
        if (requirements === undefined) continue;
        this.#byCoordinate.set(coordinateOf(type, name), requirements);
      }
    }
  }

  /**
   * What a caller may ask for of an operation; undefined: all of it.
   * @param scopes undefined: the caller has no credentials
   */
  permit(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    scopes: Scopes,
  ): PermittedDocument | undefined {
    const all = [...this.#requirementsIn(document)];
    if (all.every((each) => refusalOf(each, scopes) === undefined)) return undefined;
    const definitions = document.definitions.filter(
      (each) => each === operation || each.kind === Kind.FRAGMENT_DEFINITION,
    );
    return withoutRefused({ ...document, definitions }, this.schema, (parent, fieldName) => {
      const requirements = this.#byCoordinate.get(coordinateOf(parent, fieldName));
      return requirements && refusalOf(requirements, scopes);
    });
  }

  // Servers parse a text once, so most documents have been looked through already.
  #requirementsIn(document: DocumentNode): ReadonlySet<Requirements> {
    const known = this.#met.get(document);
    if (known !== undefined) return known;
    const met = new Set<Requirements>();
    withoutRefused(document, this.schema, (parent, fieldName) => {
      const requirements = this.#byCoordinate.get(coordinateOf(parent, fieldName));
      if (requirements !== undefined) met.add(requirements);
      return undefined;
    });
    this.#met.set(document, met);
    return met;
  }
}

// An interface asks for all that its implementations ask for. Composition puts that onto the
// interface itself, but not every version did.
function askedFor(
  parent: Parent,
  fieldName: string,
  schema: GraphQLSchema,
): Requirements | undefined {
  const types = isInterfaceType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
  const found = types.flatMap((type) => {
    const field = type.getFields()[fieldName];
    const requirements = field && requirementsOf(type, field, () => true);
    return requirements === undefined ? [] : [requirements];
  });
  return found.length === 0 ? undefined : found.flat();
}

function coordinateOf({ name }: Parent, fieldName: string): string {
  return `${name}.${fieldName}`;
}

function refusalOf(requirements: Requirements, scopes: Scopes): FieldRefusedError | undefined {
  if (scopes === undefined) return unauthenticated();
  return insufficientScope(scopes, requirements, 'the key does');
}
