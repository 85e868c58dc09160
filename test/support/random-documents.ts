import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isUnionType,
  parse,
  validate,
  type DocumentNode,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';

/** Chance that a seed repeats. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, 1 (mulberry32). */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  /** Whether something of this probability happens. */
  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of these. */
  one<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }
}

/** A valid request. */
export interface RandomRequest {
  readonly text: string;
  readonly document: DocumentNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What the documents are about. */
export interface Subject {
  readonly schema: GraphQLSchema;
  /** Values for arguments of type ID, and for entities of each type. */
  readonly ids: Readonly<Record<string, readonly string[]>>;
  /** The mutations that may be sent. */
  readonly mutations: readonly string[];
  /** Values that are always given, by coordinate: `Query.apiKey(id:)`, `CreateApiKeyInput.scopes`. */
  readonly values?: Readonly<Record<string, (chance: Chance) => unknown>>;
}

/** A random valid document: aliases, fragments of both kinds, variables, `@skip`, nesting. */
export function randomRequest(subject: Subject, chance: Chance): RandomRequest {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { text, variables } = new Maker(subject, chance).make();
    const document = parse(text);
    if (validate(subject.schema, document).length === 0) return { text, document, variables };
  }
  throw new Error('a hundred documents in a row were not valid');
}

const deepest = 6;
const scalarValues: Readonly<Record<string, (chance: Chance) => unknown>> = {
  Int: (chance) => 1 + chance.below(2),
  Float: (chance) => chance.fraction(),
  Boolean: (chance) => chance.happens(0.5),
  String: (chance) => chance.one(['', 'a', 'Old key', 'contacts:read', '\u0007']),
  DateTime: (chance) => chance.one(['2020-01-01T00:00:00Z', '2099-12-31T23:59:59.999Z']),
  Duration: (chance) => chance.one(['PT0S', 'PT12H', 'P30D']),
  JSONObject: () => ({ a: 1 }),
};

class Maker {
  readonly #variables = new Map<string, { readonly type: string; readonly value: unknown }>();
  readonly #fragments = new Map<string, { readonly on: string; readonly text: string }>();
  #aliases = 0;
  #budget: number;

  constructor(
    private readonly subject: Subject,
    private readonly chance: Chance,
  ) {
    this.#budget = 4 + chance.below(18); // fields and fragments, some more for the leaves
  }

  make(): { text: string; variables: Record<string, unknown> } {
    const { schema, mutations } = this.subject;
    const mutation = schema.getMutationType();
    const mutating = mutation != null && mutations.length > 0 && this.chance.happens(0.15);
    const root = mutating ? mutation : schema.getQueryType();
    if (root == null) throw new Error('a schema without queries');
    const selection = this.#selection(root, 1, mutating ? mutations : undefined);
    const definitions = [...this.#variables].map(([name, { type }]) => `$${name}: ${type}`);
    const head = definitions.length === 0 ? '' : `(${definitions.join(', ')})`;
    const fragments = [...this.#fragments].map(
      ([name, { on, text }]) => `fragment ${name} on ${on} ${text}`,
    );
    const variables = [...this.#variables].map(([name, { value }]) => [name, value] as const);
    return {
      text: [`${mutating ? 'mutation' : 'query'} Random${head} ${selection}`, ...fragments].join(
        '\n',
      ),
      variables: Object.fromEntries(variables),
    };
  }

  #selection(type: GraphQLCompositeType, depth: number, only?: readonly string[]): string {
    const parts = Array.from({ length: this.#budget > 0 ? 1 + this.chance.below(3) : 1 }, () =>
      this.#part(type, depth, only),
    );
    // Which type an object of an abstract one has must be told.
    if (isAbstractType(type)) parts.push('__typename');
    return `{ ${parts.join(' ')} }`;
  }

  #part(type: GraphQLCompositeType, depth: number, only?: readonly string[]): string {
    this.#budget -= 1;
    const spent = this.#budget <= 0 && !isUnionType(type);
    if (this.chance.happens(0.08)) return `${this.#alias(0.3)}__typename${this.#condition()}`;
    if (isUnionType(type) || (!spent && this.chance.happens(0.15)))
      return this.#inline(type, depth, only);
    if (!spent && this.chance.happens(0.12)) return this.#spread(type, depth, only);
    const fields = Object.values(type.getFields()).filter(
      ({ name, type: answer }) =>
        (only === undefined || only.includes(name)) &&
        ((depth < deepest && !spent) || !isCompositeType(getNamedType(answer))),
    );
    if (fields.length === 0) return '__typename';
    const field = this.chance.one(fields);
    const args = this.#arguments(field.args, `${type.name}.${field.name}`);
    const answer = getNamedType(field.type);
    const below = isCompositeType(answer) ? ` ${this.#selection(answer, depth + 1)}` : '';
    const alias = this.#alias(args === '' ? 0.3 : 0.9);
    return `${alias}${field.name}${args}${this.#condition()}${below}`;
  }

  #inline(type: GraphQLCompositeType, depth: number, only?: readonly string[]): string {
    const on = this.chance.happens(0.3) && !isUnionType(type) ? undefined : this.#narrower(type);
    const condition = on === undefined ? '' : ` on ${on.name}`;
    return `...${condition}${this.#condition()} ${this.#selection(on ?? type, depth, only)}`;
  }

  #spread(type: GraphQLCompositeType, depth: number, only?: readonly string[]): string {
    const on = this.#narrower(type);
    const known = [...this.#fragments].filter(([, fragment]) => fragment.on === on.name);
    if (known.length > 0 && depth <= 2 && this.chance.happens(0.5)) {
      return `...${this.chance.one(known)[0]}${this.#condition()}`;
    }
    const text = this.#selection(on, depth, only);
    const name = `F${this.#fragments.size}`;
    this.#fragments.set(name, { on: on.name, text });
    return `...${name}${this.#condition()}`;
  }

  #narrower(type: GraphQLCompositeType): GraphQLCompositeType {
    if (isObjectType(type)) return type;
    return this.chance.one([...this.subject.schema.getPossibleTypes(type), type]);
  }

  #alias(probability: number): string {
    return this.chance.happens(probability) ? `a${this.#aliases++}: ` : '';
  }

  #condition(): string {
    if (!this.chance.happens(0.06)) return '';
    const value = this.chance.happens(0.5);
    const given = this.chance.happens(0.5) ? String(value) : this.#variable('Boolean!', value);
    return ` @${this.chance.one(['skip', 'include'])}(if: ${given})`;
  }

  #arguments(args: readonly GraphQLArgument[], field: string): string {
    const coordinate = ({ name }: GraphQLArgument): string => `${field}(${name}:)`;
    const given = args.filter(
      (arg) =>
        isRequiredArgument(arg) ||
        this.#told(coordinate(arg)) ||
        (arg.name === 'first' && this.chance.happens(0.95)) ||
        (arg.name !== 'last' && this.chance.happens(0.1)),
    );
    const texts = given.map((arg) => {
      const value = this.#value(arg.type, coordinate(arg), 0);
      if (arg.name === 'representations' || this.chance.happens(0.3)) {
        return `${arg.name}: ${this.#variable(String(arg.type), value)}`;
      }
      return `${arg.name}: ${literal(value, arg.type)}`;
    });
    return texts.length === 0 ? '' : `(${texts.join(', ')})`;
  }

  #variable(type: string, value: unknown): string {
    const name = `v${this.#variables.size}`;
    this.#variables.set(name, { type, value });
    return `$${name}`;
  }

  #told(coordinate: string): boolean {
    return this.subject.values?.[coordinate] !== undefined;
  }

  #value(type: GraphQLInputType, coordinate: string, depth: number): unknown {
    const { ids, values = {} } = this.subject;
    const told = values[coordinate];
    if (told !== undefined) return told(this.chance);
    if (coordinate === 'Query._entities(representations:)') {
      return Array.from({ length: 1 + this.chance.below(3) }, () => this.#representation());
    }
    const plain = getNullableType(type);
    if (isListType(plain)) {
      const count = this.chance.below(3);
      return Array.from({ length: count }, () => this.#value(plain.ofType, coordinate, depth));
    }
    if (isEnumType(plain)) return this.chance.one(plain.getValues()).name;
    if (isInputObjectType(plain)) {
      const members = Object.values(plain.getFields())
        .map((field) => ({ field, at: `${plain.name}.${field.name}` }))
        .filter(
          ({ field, at }) =>
            isRequiredInputField(field) || this.#told(at) || this.chance.happens(0.2 - depth / 10),
        )
        .map(({ field, at }) => [field.name, this.#value(field.type, at, depth + 1)] as const);
      return Object.fromEntries(members);
    }
    const scalar = getNamedType(plain).name;
    if (scalar === 'ID') return this.chance.one(Object.values(ids).flat());
    return (scalarValues[scalar] ?? (() => ''))(this.chance);
  }

  #representation(): object {
    const [type, ids] = this.chance.one(Object.entries(this.subject.ids));
    return { __typename: type, id: this.chance.one(ids) };
  }
}

function literal(value: unknown, type: GraphQLInputType): string {
  const plain = isNonNullType(type) ? getNullableType(type) : type;
  if (Array.isArray(value)) {
    const inner = isListType(plain) ? plain.ofType : plain;
    return `[${value.map((each) => literal(each, inner)).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, member]) => {
      const field = isInputObjectType(plain) ? plain.getFields()[name]?.type : undefined;
      return `${name}: ${literal(member, field ?? plain)}`;
    });
    return `{${members.join(', ')}}`;
  }
  if (isEnumType(plain)) return String(value);
  return JSON.stringify(value);
}
