import { Kind, type FieldNode, type ValueNode } from 'graphql';

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
