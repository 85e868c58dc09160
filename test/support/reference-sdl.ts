/** What a coordinate asks of a caller, as its SDL says. */
export type Requirement = 'authenticated' | readonly (readonly string[])[];

/** A field as the SDL has it. */
export interface SdlField {
  /** The type it answers with, without lists and exclamation marks. */
  readonly type: string;
  readonly requirements: readonly Requirement[];
}

/** A type as the SDL has it. */
export interface SdlType {
  readonly fields: Map<string, SdlField>;
  readonly requirements: Requirement[];
  /** The interfaces it implements, or the members of a union. */
  readonly related: string[];
  readonly isEntity: boolean;
  readonly isAbstract: boolean;
}

const token =
  /"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|[A-Za-z_]\w*|-?\d[\w.+-]*|[!$&()[\]{}:=|@]/g;

/**
 * Reads SDL by itself, without graphql-js: what is read here must not share a mistake with what it
 * is to judge. Knows just enough for SDL that a printer wrote.
 */
export function readSdl(sdl: string): ReadonlyMap<string, SdlType> {
  return new Reader(sdl).read();
}

class Reader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(sdl: string) {
    this.#tokens = [...sdl.matchAll(token)]
      .map(([text]) => text)
      .filter((text) => !text.startsWith('"""') && !text.startsWith('#'));
  }

  read(): ReadonlyMap<string, SdlType> {
    const types = new Map<string, SdlType>();
    while (this.#at < this.#tokens.length) {
      if (this.#peek() === 'extend' || this.#peek().startsWith('"')) this.#next();
      const kind = this.#next();
      if (kind === 'type' || kind === 'interface') this.#readType(types, kind);
      else if (kind === 'union') this.#readUnion(types);
      else if (kind === 'directive') this.#skipDirectiveDefinition();
      else if (['schema', 'scalar', 'enum', 'input'].includes(kind)) this.#skipRest();
      else throw new Error(`what is "${kind}"?`);
    }
    return types;
  }

  #readType(types: Map<string, SdlType>, kind: string): void {
    const name = this.#next();
    const related: string[] = [];
    if (this.#peek() === 'implements') {
      this.#next();
      while (/^[&\w]/.test(this.#peek()) && this.#peek() !== '{') related.push(this.#next());
    }
    const { requirements, names } = this.#readDirectives();
    const fields = new Map<string, SdlField>();
    if (this.#peek() === '{') {
      this.#next();
      while (this.#peek() !== '}') this.#readField(fields);
      this.#next();
    }
    const known = types.get(name);
    types.set(name, {
      fields: new Map([...(known?.fields ?? []), ...fields]),
      requirements: [...(known?.requirements ?? []), ...requirements],
      related: [...(known?.related ?? []), ...related.filter((each) => each !== '&')],
      isEntity: known?.isEntity === true || names.includes('key'),
      isAbstract: kind === 'interface',
    });
  }

  #readUnion(types: Map<string, SdlType>): void {
    const name = this.#next();
    const { requirements } = this.#readDirectives();
    const related: string[] = [];
    while (this.#peek() === '=' || this.#peek() === '|') {
      this.#next();
      if (this.#peek() === '|') this.#next();
      related.push(this.#next());
    }
    types.set(name, {
      ...{ fields: new Map(), requirements, related, isEntity: false, isAbstract: true },
    });
  }

  #readField(fields: Map<string, SdlField>): void {
    if (this.#peek().startsWith('"')) this.#next();
    const name = this.#next();
    if (this.#peek() === '(') this.#balanced();
    if (this.#next() !== ':') throw new Error(`field ${name} has no type`);
    let type = '';
    while (/^[[\]!\w]/.test(this.#peek()) && (type === '' || !/^\w/.test(this.#peek()))) {
      const part = this.#next();
      if (/^\w/.test(part)) type = part;
    }
    fields.set(name, { type, requirements: this.#readDirectives().requirements });
  }

  #readDirectives(): { requirements: Requirement[]; names: string[] } {
    const requirements: Requirement[] = [];
    const names: string[] = [];
    while (this.#peek() === '@') {
      this.#next();
      const name = this.#next();
      const args = this.#peek() === '(' ? this.#balanced() : [];
      names.push(name);
      if (name === 'authenticated') requirements.push('authenticated');
      if (name === 'requiresScopes') requirements.push(readScopes(args));
    }
    return { requirements, names };
  }

  #skipDirectiveDefinition(): void {
    while (this.#peek() !== 'on') this.#next();
    this.#next();
    do this.#next();
    while (this.#peek() === '|' && this.#next());
  }

  // What has neither fields that answer nor requirements.
  #skipRest(): void {
    if (/^\w/.test(this.#peek())) this.#next();
    this.#readDirectives();
    if (this.#peek() === '{') this.#balanced();
  }

  #balanced(): string[] {
    const from = this.#at;
    let depth = 0;
    do {
      const next = this.#next();
      if ('([{'.includes(next)) depth += 1;
      if (')]}'.includes(next)) depth -= 1;
    } while (depth > 0);
    return this.#tokens.slice(from, this.#at);
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? '';
  }

  #next(): string {
    const next = this.#tokens[this.#at];
    if (next === undefined) throw new Error('the SDL ends early');
    this.#at += 1;
    return next;
  }
}

/** Reads `(scopes: [["a", "b"], ["c"]])`. */
function readScopes(args: readonly string[]): string[][] {
  const lists: string[][] = [];
  let depth = 0;
  for (const each of args) {
    if (each === '[') {
      depth += 1;
      if (depth === 2) lists.push([]);
    } else if (each === ']') depth -= 1;
    else if (each.startsWith('"')) lists.at(-1)?.push(JSON.parse(each) as string); // a JSON text
  }
  return lists;
}
