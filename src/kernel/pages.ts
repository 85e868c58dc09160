import { createHash } from 'node:crypto';
import { InputError } from './errors';

/** How many edges a page holds unless told, and at most. */
export const pageSize = { default: 50, max: 200 } as const;

/** Relay's arguments, as a client sent them. */
export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** A place in an ordered list: the sort value of a row as text, and its id to tell equals apart. */
export interface Cursor {
  readonly value: string;
  readonly id: string;
}

/** Checked arguments of a page. */
export interface PageRequest {
  readonly size: number;
  /** true: the last ones before the end (or `before`), still given in the list's own order. */
  readonly backward: boolean;
  readonly after: Cursor | undefined;
  readonly before: Cursor | undefined;
}

/** A page of rows in the list's order, each with its cursor. */
export interface Page<Row> {
  readonly edges: readonly { readonly cursor: string; readonly node: Row }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** Where looking for more ended, if not at the last edge. */
  readonly endCursor?: string;
}

/**
 * Checks Relay's arguments (GraphQL Cursor Connections Specification).
 * @param list names the list and its order; cursors of others are refused
 * @throws InputError naming the argument: first and last together, a size outside 0 to 200, or
 * a cursor that this list did not give
 */
export function parsePage(given: PageArguments, list: string): PageRequest {
  if (given.first != null && given.last != null) {
    throw new InputError('last', 'Give first or last, not both.');
  }
  return {
    size: checkSize(given.first, 'first') ?? checkSize(given.last, 'last') ?? pageSize.default,
    backward: given.last != null,
    after: given.after == null ? undefined : decodeCursor(given.after, list, 'after'),
    before: given.before == null ? undefined : decodeCursor(given.before, list, 'before'),
  };
}

function checkSize(size: number | null | undefined, field: string): number | undefined {
  if (size == null) return undefined;
  if (size < 0 || size > pageSize.max) {
    throw new InputError(field, `${field} must be from 0 to ${pageSize.max}.`);
  }
  return size;
}

/**
 * An opaque cursor with a checksum, which knows a mistyped cursor and one of another list; it is
 * no signature.
 * @param list names the list and its order
 */
export function encodeCursor({ value, id }: Cursor, list: string): string {
  const place = JSON.stringify([list, value, id]);
  const checksum = createHash('sha256').update(place).digest('base64url').slice(0, 8);
  return Buffer.from(JSON.stringify([value, id, checksum])).toString('base64url');
}

function decodeCursor(text: string, list: string, field: string): Cursor {
  const parts: unknown =
    text.length <= 2000 ? parseJson(Buffer.from(text, 'base64url').toString()) : null;
  if (!Array.isArray(parts)) throw badCursor(field);
  const [value, id] = parts as unknown[]; // which is what Array.isArray found
  if (typeof value !== 'string' || typeof id !== 'string') throw badCursor(field);
  if (encodeCursor({ value, id }, list) !== text) throw badCursor(field);
  return { value, id };
}

/** The refusal of a cursor that a list did not give. */
export function badCursor(field: string): InputError {
  return new InputError(
    field,
    `${field} is not a cursor of this list in this order. Use an endCursor or startCursor it gave.`,
  );
}

/** Whether a cursor's value is an instant that PostgreSQL can read: such as `toISOString` writes it. */
export function isInstant(text: string): boolean {
  const date = new Date(text);
  // Years before 1 and after 9999 are written in ways of their own.
  const isUsual = /^(?!0000)\d{4}-/.test(text);
  return isUsual && !Number.isNaN(date.getTime()) && date.toISOString() === text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Cuts a page from rows fetched in the direction of travel, one more than asked for.
 * `rows` of a backward page come last one first; the page has them in the list's order.
 */
export function cutPage<Row>(
  rows: readonly { readonly cursor: string; readonly node: Row }[],
  request: PageRequest,
): Page<Row> {
  const more = rows.length > request.size;
  const edges = rows.slice(0, request.size);
  if (request.backward) edges.reverse();
  return {
    edges,
    hasNextPage: request.backward ? request.before !== undefined : more,
    hasPreviousPage: request.backward ? more : request.after !== undefined,
  };
}

/** The page with other nodes in the same places. */
export function mapPage<From, To>(page: Page<From>, change: (node: From) => To): Page<To> {
  const edges = page.edges.map(({ cursor, node }) => ({ cursor, node: change(node) }));
  return { ...page, edges };
}
