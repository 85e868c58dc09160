import { Kind, type FieldNode, type ValueNode } from 'graphql';

/**
 * How many values there are in a request's variables: members of objects, items of lists, and what
 * these hold. Counting stops at `max + 1`; nothing is called for each level of nesting, which a
 * megabyte has room for half a million of.
 */
export function countValues(variables: object, max: number): number {
  const open: unknown[] = [variables];
  let count = 0;
  while (open.length > 0) {
    const values: unknown[] = Object.values(open.pop() ?? {}); // of arrays, too
    for (const value of values) {
      count += 1;
      if (count > max) return count;
      if (typeof value === 'object' && value !== null) open.push(value);
    }
  }
  return count;
}

/** How many items of lists and fields of objects stand in a field's arguments as literals. */
export function literalParts(field: FieldNode): number {
  let parts = 0;
  const count = (value: ValueNode): void => {
    if (value.kind === Kind.LIST) {
      parts += value.values.length;
      value.values.forEach(count);
    } else if (value.kind === Kind.OBJECT) {
      parts += value.fields.length;
      for (const { value: inner } of value.fields) count(inner);
    }
  };
  for (const { value } of field.arguments ?? []) count(value);
  return parts;
}
