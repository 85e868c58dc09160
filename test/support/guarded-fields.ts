import {
  buildClientSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
  type IntrospectionQuery,
} from 'graphql';
import { getIntrospectionQuery } from 'graphql';
import type { TestKeyward } from './keyward';

/** A field that the printed schema guards. */
export interface GuardedField {
  readonly type: string;
  readonly field: string;
  /** Whether credentials are enough. */
  readonly anyKey: boolean;
  /** How to ask for it with as little as possible. */
  readonly selection: string;
}

/** Every field that carries an access directive in the SDL that the server itself gives out. */
export async function guardedFields(keyward: TestKeyward): Promise<readonly GuardedField[]> {
  const { data } = await keyward.ask<{ _service: { sdl: string } }>('{ _service { sdl } }');
  const introspection = await keyward.ask<IntrospectionQuery>(getIntrospectionQuery());
  const schema = buildClientSchema(introspection.data);
  const found: GuardedField[] = [];
  for (const definition of parse(data._service.sdl).definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    for (const { name, directives = [] } of definition.fields ?? []) {
      const names = directives.map((directive) => directive.name.value);
      const anyKey = names.includes('authenticated');
      if (!anyKey && !names.includes('requiresScopes')) continue;
      const type = definition.name.value;
      const field = name.value;
      found.push({ type, field, anyKey, selection: selectionOf(schema, type, field) });
    }
  }
  return found;
}

function selectionOf(schema: GraphQLSchema, typeName: string, fieldName: string): string {
  const type = schema.getType(typeName);
  const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
  if (field === undefined) throw new Error(`introspection lacks ${typeName}.${fieldName}`);
  const args = members(field.args);
  const below = isLeafType(getNamedType(field.type)) ? '' : ' { __typename }';
  return `${fieldName}${args === '' ? '' : `(${args})`}${below}`;
}

function members(all: readonly (GraphQLArgument | GraphQLInputField)[]): string {
  return all
    .filter(({ type }) => isNonNullType(type))
    .map(({ name, type }) => `${name}: ${literalOf(type)}`)
    .join(', ');
}

function literalOf(type: GraphQLInputType): string {
  if (isNonNullType(type)) return literalOf(type.ofType);
  if (isListType(type)) return '[]';
  if (isEnumType(type)) return type.getValues()[0]?.name ?? 'null';
  if (isInputObjectType(type)) return `{ ${members(Object.values(type.getFields()))} }`;
  return { Int: '1', Boolean: 'true', JSONObject: '{}', Duration: '"P1D"' }[type.name] ?? '"x"';
}
