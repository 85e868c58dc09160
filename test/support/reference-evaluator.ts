import {
  Kind,
  OperationTypeNode,
  valueFromASTUntyped,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { readSdl, type Requirement, type SdlField, type SdlType } from './reference-sdl';

/** Why a caller may not see a coordinate. */
export type Reason = 'UNAUTHENTICATED' | 'INSUFFICIENT_SCOPE';

/** Who asks, in the evaluator's own terms. */
export interface ReferenceCaller {
  /** null: without credentials. */
  readonly scopes: ReadonlySet<string> | null;
  /** The id of the key that asks. */
  readonly keyId: string | null;
}

/** A request and what became of it. */
export interface Exchange {
  readonly document: DocumentNode;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly caller: ReferenceCaller;
  readonly data: unknown;
  /** The fields that were refused for want of rights, with the reasons given. */
  readonly refused: readonly { readonly path: Path; readonly reason: unknown }[];
}

type Path = readonly (string | number)[];
type Data = Readonly<Record<string, unknown>>;
interface Representation {
  readonly __typename: string;
  readonly id: string;
}

/**
 * A second implementation of "may this caller see this coordinate", written from the contract and
 * from nothing in src/: it reads schema.graphql's text by itself and walks the document beside the
 * answer. Slow and plain on purpose.
 */
export class ReferenceEvaluator {
  /** What was judged so far: coordinates with the outcomes they had. */
  readonly outcomes = new Map<string, Set<Reason | undefined>>();
  readonly #types: ReadonlyMap<string, SdlType>;

  constructor(
    sdl: string,
    private readonly fullAccess = 'admin:full',
  ) {
    this.#types = readSdl(sdl);
  }

  /** May this caller see this field of this type? Field, its type and the type it answers with. */
  judge(caller: ReferenceCaller, type: string, field: string): Reason | undefined {
    const { requirements, type: answer } = this.#field(type, field);
    const all = [
      ...requirements,
      ...(this.#types.get(type)?.requirements ?? []),
      ...(this.#types.get(answer)?.requirements ?? []),
    ];
    const outcome = this.#unmet(caller, all);
    if (all.length > 0) {
      const coordinate = `${type}.${field}`;
      const known = this.outcomes.get(coordinate) ?? new Set();
      this.outcomes.set(coordinate, known.add(outcome));
    }
    return outcome;
  }

  /** Every coordinate that asks something of its callers. */
  guarded(): string[] {
    const asks = (type: string): boolean => (this.#types.get(type)?.requirements.length ?? 0) > 0;
    return [...this.#types].flatMap(([type, { fields, isAbstract }]) =>
      [...fields]
        .filter(([, field]) => field.requirements.length > 0 || asks(field.type) || asks(type))
        .filter(() => !isAbstract)
        .map(([name]) => `${type}.${name}`),
    );
  }

  /** May this caller have this entity? A key itself always, everything else with api_keys:read. */
  judgeEntity(caller: ReferenceCaller, { __typename, id }: Representation): Reason | undefined {
    const itself = __typename === 'ApiKey' && caller.keyId !== null && id === caller.keyId;
    return itself ? undefined : this.#unmet(caller, [[['api_keys:read']]]);
  }

  /** Every way in which the answer differs from what the contract says; empty when none does. */
  differences(exchange: Exchange): string[] {
    const walk = new Walk(this, exchange);
    const expected = walk.refusals();
    const found = new Map(exchange.refused.map((each) => [each.path.join('.'), each.reason]));
    const differences: string[] = walk.leaks;
    if (found.size !== exchange.refused.length) differences.push('a field was refused twice');
    for (const [path, reason] of expected) {
      if (found.get(path) === reason) continue;
      const was = found.has(path) ? `refused as ${String(found.get(path))}` : 'not refused';
      differences.push(`${path}: should be refused as ${reason}, was ${was}`);
    }
    for (const { path, reason } of exchange.refused) {
      if (expected.has(path.join('.')) || walk.reasonsAt(path).has(reason)) continue;
      differences.push(`${path.join('.')}: refused as ${String(reason)}, should not be`);
    }
    return differences;
  }

  /** The type that a field answers with. */
  answerOf(type: string, field: string): string {
    return this.#field(type, field).type;
  }

  /** Whether the type is an interface or a union. */
  isAbstract(type: string): boolean {
    return type === '_Entity' || this.#types.get(type)?.isAbstract === true;
  }

  /** Whether an object of this type meets a fragment's condition. */
  meets(type: string, condition: string): boolean {
    if (type === condition) return true;
    if (condition === '_Entity') return this.#types.get(type)?.isEntity === true;
    const union = this.#types.get(condition)?.related.includes(type) ?? false;
    return union || (this.#types.get(type)?.related.includes(condition) ?? false);
  }

  /** The object types that a type may turn out to be. */
  possible(type: string): string[] {
    if (!this.isAbstract(type)) return [type];
    return [...this.#types.keys()].filter(
      (each) => !this.isAbstract(each) && this.meets(each, type),
    );
  }

  #unmet(caller: ReferenceCaller, requirements: readonly Requirement[]): Reason | undefined {
    if (requirements.length === 0) return undefined;
    const { scopes } = caller;
    if (scopes === null) return 'UNAUTHENTICATED';
    const has = (scope: string): boolean => scopes.has(scope) || scopes.has(this.fullAccess);
    for (const lists of requirements) {
      if (lists === 'authenticated') continue;
      let met = false;
      for (const list of lists) {
        let all = true;
        for (const scope of list) if (!has(scope)) all = false;
        if (all) met = true;
      }
      if (!met) return 'INSUFFICIENT_SCOPE';
    }
    return undefined;
  }

  #field(type: string, field: string): SdlField {
    // What federation adds to every subgraph.
    if (type === 'Query' && field === '_entities') return { type: '_Entity', requirements: [] };
    if (type === 'Query' && field === '_service') return { type: '_Service', requirements: [] };
    const found = this.#types.get(type)?.fields.get(field);
    if (found !== undefined) return found;
    if (type === '_Service') return { type: 'String', requirements: [] };
    throw new Error(`the SDL has no ${type}.${field}`);
  }
}

/** Goes through a document, beside the answer to it. */
class Walk {
  /** Fields that answered although they should not have. */
  readonly leaks: string[] = [];
  readonly #operation: OperationDefinitionNode;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #root: string;

  constructor(
    private readonly rules: ReferenceEvaluator,
    private readonly exchange: Exchange,
  ) {
    const { definitions } = exchange.document;
    const operation = definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION);
    if (operation === undefined) throw new Error('a document without an operation');
    this.#operation = operation;
    this.#root = operation.operation === OperationTypeNode.MUTATION ? 'Mutation' : 'Query';
    this.#fragments = new Map(
      definitions
        .filter((each) => each.kind === Kind.FRAGMENT_DEFINITION)
        .map((each) => [each.name.value, each]),
    );
  }

  /** Where the contract refuses something, as far as the answer reaches. */
  refusals(): Map<string, Reason> {
    const found = new Map<string, Reason>();
    const { data } = this.exchange;
    if (isObject(data)) this.#object(this.#root, [this.#operation.selectionSet], data, [], found);
    return found;
  }

  /** The reasons for which the field at a path may be refused, whatever the answer holds there. */
  reasonsAt(path: Path): Set<unknown> {
    const reasons = new Set<unknown>();
    this.#follow(this.#root, [this.#operation.selectionSet], path, reasons);
    return reasons;
  }

  #follow(type: string, sets: Sets, path: Path, reasons: Set<unknown>): void {
    const [key, ...rest] = path;
    const nodes = this.#collect(type, sets).get(String(key));
    const [node] = nodes ?? [];
    if (nodes === undefined || node === undefined) return;
    const field = node.name.value;
    if (rest.every((each) => typeof each === 'number')) {
      const { caller } = this.exchange;
      const entity = this.#representations(node)[Number(rest[0])];
      if (rest.length === 0) reasons.add(this.rules.judge(caller, type, field));
      else if (entity !== undefined) reasons.add(this.rules.judgeEntity(caller, entity));
      return;
    }
    const entity = this.#representations(node)[Number(rest[0])];
    const answer = this.rules.answerOf(type, field);
    const types = entity === undefined ? this.rules.possible(answer) : [entity.__typename];
    const below = rest.slice(rest.findIndex((each) => typeof each === 'string'));
    for (const each of types) this.#follow(each, selectionsOf(nodes), below, reasons);
  }

  #object(type: string, sets: Sets, data: Data, path: Path, found: Map<string, Reason>): void {
    for (const [key, nodes] of this.#collect(type, sets)) {
      const [node] = nodes;
      if (node === undefined || node.name.value.startsWith('__')) continue;
      const here = [...path, key];
      const value = data[key];
      const reason = this.rules.judge(this.exchange.caller, type, node.name.value);
      if (reason === undefined) {
        this.#value(type, nodes, value, here, found);
        continue;
      }
      found.set(here.join('.'), reason);
      if (value !== null) this.leaks.push(`${here.join('.')}: answered, should be null`);
    }
  }

  #value(
    type: string,
    nodes: readonly FieldNode[],
    value: unknown,
    path: Path,
    found: Map<string, Reason>,
  ): void {
    const [node] = nodes;
    if (node?.selectionSet === undefined) return;
    const representations = this.#representations(node);
    const answer = this.rules.answerOf(type, node.name.value);
    const visit = (each: unknown, here: Path): void => {
      if (Array.isArray(each)) {
        for (const [index, item] of each.entries()) visit(item, [...here, index]);
        return;
      }
      const entity = representations[Number(here.at(-1))];
      if (entity !== undefined) {
        const reason = this.rules.judgeEntity(this.exchange.caller, entity);
        if (reason !== undefined) {
          found.set(here.join('.'), reason);
          if (each !== null) this.leaks.push(`${here.join('.')}: answered, should be null`);
          return;
        }
      }
      if (!isObject(each)) return;
      const told = this.rules.isAbstract(answer) ? String(each.__typename) : answer;
      this.#object(entity?.__typename ?? told, selectionsOf(nodes), each, here, found);
    };
    visit(value, path);
  }

  #representations(node: FieldNode): readonly Representation[] {
    if (node.name.value !== '_entities') return [];
    const [argument] = node.arguments ?? [];
    const given: unknown = argument && valueFromASTUntyped(argument.value, this.exchange.variables);
    return given as Representation[]; // the generator makes no others
  }

  /** The fields of a selection by their keys in the answer, fragments expanded. */
  #collect(type: string, sets: Sets, into = new Map<string, FieldNode[]>()) {
    for (const { selections } of sets) {
      for (const each of selections) {
        if (!this.#included(each.directives ?? [])) continue;
        if (each.kind === Kind.FIELD) {
          const key = each.alias?.value ?? each.name.value;
          into.set(key, [...(into.get(key) ?? []), each]);
          continue;
        }
        const fragment =
          each.kind === Kind.INLINE_FRAGMENT ? each : this.#fragments.get(each.name.value);
        const condition = fragment?.typeCondition?.name.value ?? type;
        if (fragment === undefined || !this.rules.meets(type, condition)) continue;
        this.#collect(type, [fragment.selectionSet], into);
      }
    }
    return into;
  }

  #included(directives: readonly DirectiveNode[]): boolean {
    return directives.every(({ name, arguments: [argument] = [] }) => {
      const given: unknown =
        argument && valueFromASTUntyped(argument.value, this.exchange.variables);
      return given === (name.value === 'include');
    });
  }
}

type Sets = readonly SelectionSetNode[];

function selectionsOf(nodes: readonly FieldNode[]): Sets {
  return nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null;
}
