import {
  GraphQLError,
  isListType,
  isNonNullType,
  Kind,
  type ExecutionResult,
  type FieldNode,
  type GraphQLOutputType,
  type SelectionSetNode,
} from 'graphql';
import { fragmentsOf, type Fragments } from '../graphql/document-fragments';
import { refusalOfAll } from '../kernel/refused-request';
import { extensionsOf } from './refusal';
import { responseKeyOf, type PermittedDocument, type RefusedField } from './refused-fields';

type Path = readonly (string | number)[];
type Fields = ReadonlyMap<string, readonly FieldNode[]>;
type Data = Readonly<Record<string, unknown>>;

/**
 * Gives a result the refused fields back: each null, with an error at its path. Where the schema
 * lets a field not be null, its parent is null in its place, as GraphQL has it. Where every root field
 * is refused, `extensions.http` says so, from where the gateway takes status and headers. The given
 * result is left as it is: the server may share it with other requests.
 */
export function mend(result: ExecutionResult, permitted: PermittedDocument): ExecutionResult {
  if (result.data == null) return result;
  const { definitions } = permitted.document;
  const roots = definitions.flatMap((each) =>
    each.kind === Kind.OPERATION_DEFINITION ? [each.selectionSet] : [],
  );
  const mender = new Mender(permitted);
  const fields = mender.fields(roots);
  const data = mender.object(result.data, fields, []);
  const errors = [...(result.errors ?? []), ...mender.errors];
  const http = refusalOfAll(data, errors);
  const extensions = http && { extensions: { ...result.extensions, http } };
  return { ...result, data, errors, ...extensions };
}

class Mender {
  readonly errors: GraphQLError[] = [];
  readonly #fragments: Fragments;
  readonly #below = new Map<readonly FieldNode[], Fields>();

  constructor(private readonly permitted: PermittedDocument) {
    this.#fragments = fragmentsOf(permitted.document);
  }

  object(data: Data, fields: Fields, path: Path): Data | null {
    const mended: Record<string, unknown> = {};
    const hidden = new Set<string>();
    let climbs = false; // a null where none may stand
    for (const [key, value] of Object.entries(data)) {
      const refused = this.permitted.refused.get(key);
      if (refused !== undefined) {
        const { responseKey } = refused;
        if (!hidden.has(responseKey)) this.#refuse(refused, path);
        hidden.add(responseKey);
        mended[responseKey] = null;
        climbs ||= isNonNullType(refused.type);
        continue;
      }
      if (hidden.has(key)) continue;
      const nodes = fields.get(key);
      const type = nodes?.[0] && this.permitted.types.get(nodes[0]);
      const given = nodes && type ? this.#value(value, type, nodes, [...path, key]) : value;
      mended[key] = given;
      climbs ||= given === null && isNonNullType(type);
    }
    return climbs ? null : mended;
  }

  #value(
    value: unknown,
    type: GraphQLOutputType,
    nodes: readonly FieldNode[],
    path: Path,
  ): unknown {
    if (value == null) return null;
    if (isNonNullType(type)) return this.#value(value, type.ofType, nodes, path);
    if (isListType(type)) {
      const items: readonly unknown[] = Array.isArray(value) ? value : [];
      const mended = items.map((item, at) => this.#value(item, type.ofType, nodes, [...path, at]));
      return isNonNullType(type.ofType) && mended.includes(null) ? null : mended;
    }
    if (typeof value !== 'object' || nodes[0]?.selectionSet === undefined) return value;
    return this.object({ ...value }, this.#fieldsBelow(nodes), path);
  }

  #fieldsBelow(nodes: readonly FieldNode[]): Fields {
    const known = this.#below.get(nodes);
    if (known !== undefined) return known;
    const fields = this.fields(nodes.flatMap(({ selectionSet }) => selectionSet ?? []));
    this.#below.set(nodes, fields);
    return fields;
  }

  /**
   * The fields of selection sets by the names that answers have them under. Fields of one name in
   * different types are alike in shape, which is all that counts here.
   */
  fields(sets: readonly SelectionSetNode[]): Fields {
    const fields = new Map<string, FieldNode[]>();
    const spread = new Set<string>();
    const pending = [...sets];
    for (let set = pending.pop(); set !== undefined; set = pending.pop()) {
      for (const selection of set.selections) {
        if (selection.kind === Kind.FIELD) {
          const key = responseKeyOf(selection);
          const alike = fields.get(key);
          if (alike === undefined) fields.set(key, [selection]);
          else alike.push(selection);
        } else if (selection.kind === Kind.INLINE_FRAGMENT) {
          pending.push(selection.selectionSet);
        } else if (!spread.has(selection.name.value)) {
          spread.add(selection.name.value);
          const fragment = this.#fragments.get(selection.name.value);
          if (fragment !== undefined) pending.push(fragment.selectionSet);
        }
      }
    }
    return fields;
  }

  #refuse({ responseKey, node, refusal }: RefusedField, path: Path): void {
    const extensions = extensionsOf(refusal);
    const at = { nodes: node, path: [...path, responseKey] };
    this.errors.push(new GraphQLError(refusal.message, { ...at, extensions }));
  }
}
