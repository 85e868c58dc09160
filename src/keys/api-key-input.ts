import { parseDuration, type IsoDuration } from '../kernel/duration';
import { InputError } from '../kernel/errors';
import { lastInstant } from '../kernel/instants';
import type { Environment } from '../kernel/principal';
import type { ScopeCatalogue } from '../kernel/scopes';
import { checkCharacters, checkText } from '../kernel/text';
import type { ApiKeyLabels } from './api-key';

/** How long things on a key may be: characters, or bytes of JSON in UTF-8. */
export const limits = {
  name: 100,
  text: 500,
  tags: 20,
  tag: 50,
  metadataBytes: 4096,
  metadataDepth: 32,
  idempotencyKey: 255,
  note: 1000,
} as const;

type Maybe<Value> = Value | null | undefined;

/** Labels as a client sends them: what is left out stays as it is, null clears. */
export interface LabelsInput {
  readonly name?: Maybe<string>;
  readonly description?: Maybe<string>;
  readonly owner?: Maybe<string>;
  readonly application?: Maybe<string>;
  readonly usageLocation?: Maybe<string>;
  readonly tags?: Maybe<readonly string[]>;
  readonly metadata?: Maybe<Readonly<Record<string, unknown>>>;
}

/** When a new key is to end, as a client sends it: one of the two, or neither. */
export interface ExpiryInput {
  readonly expiresAt?: Maybe<Date>;
  /** ISO 8601, counted from the creation. */
  readonly expiresIn?: Maybe<string>;
}

/** What a client says of a key to be created. */
export interface CreateInput extends LabelsInput, ExpiryInput {
  readonly name: string;
  readonly environment?: Maybe<Environment>;
  readonly scopes?: Maybe<readonly string[]>;
  readonly idempotencyKey?: Maybe<string>;
}

/** A wished end, checked but not yet fixed to an instant; undefined: as the product has it. */
export type Expiry =
  { readonly at: Date } | { readonly in: IsoDuration } | { readonly never: true } | undefined;

/**
 * The labels with the changes of the input.
 * @throws InputError naming the member below `input.` that is out of bounds or holds control
 * characters or lone surrogates
 */
export function checkLabels(input: LabelsInput, present: ApiKeyLabels): ApiKeyLabels {
  return {
    name: input.name === undefined ? present.name : checkName(input.name),
    description: checkOptional(input, 'description', present),
    owner: checkOptional(input, 'owner', present),
    application: checkOptional(input, 'application', present),
    usageLocation: checkOptional(input, 'usageLocation', present),
    tags: input.tags === undefined ? present.tags : checkTags(input.tags ?? []),
    metadata: input.metadata === undefined ? present.metadata : checkMetadata(input.metadata ?? {}),
  };
}

/** The labels of a key that has none yet. */
export const noLabels: ApiKeyLabels = {
  name: '',
  description: null,
  owner: null,
  application: null,
  usageLocation: null,
  tags: [],
  metadata: {},
};

function checkName(name: string | null): string {
  if (name === null) throw new InputError('input.name', 'input.name cannot be cleared.');
  checkCharacters(name, 'input.name'); // trimming would take a line break at its end away unseen
  return checkText(name.trim(), 'input.name', { min: 1, max: limits.name });
}

function checkOptional(
  input: LabelsInput,
  name: 'description' | 'owner' | 'application' | 'usageLocation',
  present: ApiKeyLabels,
): string | null {
  const text = input[name];
  if (text === undefined) return present[name];
  return text === null ? null : checkText(text, `input.${name}`, { max: limits.text });
}

function checkTags(tags: readonly string[]): readonly string[] {
  if (tags.length > limits.tags) {
    throw new InputError('input.tags', `input.tags takes at most ${limits.tags} tags.`);
  }
  const checked = tags.map((tag, index) =>
    checkText(tag, `input.tags.${index}`, { min: 1, max: limits.tag }),
  );
  return [...new Set(checked)];
}

function checkMetadata(
  metadata: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  checkJson(metadata, 'input.metadata', limits.metadataDepth);
  const bytes = Buffer.byteLength(JSON.stringify(metadata));
  if (bytes > limits.metadataBytes) {
    throw new InputError(
      'input.metadata',
      `input.metadata must be at most ${limits.metadataBytes} bytes of JSON; it is ${bytes}.`,
    );
  }
  return metadata;
}

function checkJson(value: unknown, path: string, depth: number): void {
  if (typeof value === 'string') checkCharacters(value, path);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new InputError(path, `${path} is too large for a number: write it as a string.`);
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth === 0) {
    const field = 'input.metadata';
    throw new InputError(
      field,
      `${field} must not nest deeper than ${limits.metadataDepth} levels.`,
    );
  }
  for (const [name, member] of Object.entries(value)) {
    checkCharacters(name, path);
    checkJson(member, `${path}.${name}`, depth - 1);
  }
}

/**
 * Chosen scopes, deduplicated in the order given.
 * @throws InputError when none is given or one is not exactly in the catalogue
 */
export function checkScopes(
  scopes: Maybe<readonly string[]>,
  catalogue: ScopeCatalogue,
): readonly string[] {
  if (scopes == null || scopes.length === 0) {
    throw new InputError('input.scopes', 'input.scopes must name at least one scope.');
  }
  scopes.forEach((scope, index) => {
    if (catalogue.has(scope)) return;
    const field = `input.scopes.${index}`;
    throw new InputError(
      field,
      `${field} is not a scope of this product. The query { scopes { name } } lists them.`,
    );
  });
  return [...new Set(scopes)];
}

/**
 * A wished end; whether it lies in the future shows when the key is created.
 * @throws InputError when both ways are given, or the duration is none
 */
export function checkExpiry({ expiresAt, expiresIn }: ExpiryInput): Expiry {
  if (expiresAt != null && expiresIn != null) {
    throw new InputError('input.expiresIn', 'Give input.expiresAt or input.expiresIn, not both.');
  }
  if (expiresAt != null) {
    if (expiresAt <= lastInstant) return { at: expiresAt };
    throw new InputError('input.expiresAt', 'input.expiresAt must lie before the year 10000.');
  }
  return expiresIn == null ? undefined : { in: parseDuration(expiresIn, 'input.expiresIn') };
}

/** A wished end as a JSON value that is the same for the same wish. */
export function describeExpiry(expiry: Expiry): string | null {
  if (expiry === undefined) return null;
  if ('never' in expiry) return 'never';
  return 'at' in expiry ? expiry.at.toISOString() : expiry.in.text;
}

/**
 * The client's name for its request.
 * @throws InputError naming `input.idempotencyKey` when it is empty or too long
 */
export function checkIdempotencyKey(text: Maybe<string>): string | undefined {
  if (text == null) return undefined;
  return checkText(text, 'input.idempotencyKey', { min: 1, max: limits.idempotencyKey });
}
