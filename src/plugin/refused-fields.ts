import {
  isInterfaceType,
  isObjectType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type NameNode,
} from 'graphql';
import type { FieldRefusedError } from '../kernel/errors';

/** A type whose fields can be asked for. */
export type Parent = GraphQLObjectType | GraphQLInterfaceType;

/** Says whether a field of a type is refused, and why. */
export type Judge = (parent: Parent, fieldName: string) => FieldRefusedError | undefined;

/** A field that was taken out of a document. */
export interface RefusedField {
  /** Under which name the client asked for it. */
  readonly responseKey: string;
  readonly parent: Parent;
  readonly node: FieldNode;
  readonly type: GraphQLOutputType;
  readonly refusal: FieldRefusedError;
}

/** A document that asks for nothing that is refused. */
export interface PermittedDocument {
  readonly document: DocumentNode;
  /** The refused fields by the names that stand in their places; empty when there are none. */
  readonly refused: ReadonlyMap<string, RefusedField>;
  /** The type of every field that is left. */
  readonly types: ReadonlyMap<FieldNode, GraphQLOutputType>;
}

/**
 * Puts `__typename` under a name of its own in the place of every refused field: what is executed
 * then tells exactly where the field would have stood, and no subgraph is asked for it.
 * Incremental delivery is given up: there is to be one answer to mend.
 */
export function withoutRefused(
  document: DocumentNode,
  schema: GraphQLSchema,
  judge: Judge,
): PermittedDocument {
  const refused = new Map<string, RefusedField>();
  const types = new Map<FieldNode, GraphQLOutputType>();
  const typeInfo = new TypeInfo(schema);
  const prefix = freeName(document);
  const enter = (node: FieldNode): FieldNode | undefined => {
    const parent = typeInfo.getParentType();
    const field = typeInfo.getFieldDef();
    if (!isParent(parent) || field == null || field.name.startsWith('__')) return undefined;
    const refusal = judge(parent, field.name);
    if (refusal === undefined) return undefined;
    const name = `${prefix}${refused.size}`;
    const responseKey = responseKeyOf(node);
    refused.set(name, { responseKey, parent, node, type: field.type, refusal });
    return placeholder(node, name);
  };
  const leave = (node: FieldNode): void => {
    const type = typeInfo.getType();
    if (type != null) types.set(node, type);
  };
  const visitor = { Field: { enter, leave }, Directive: dropIncremental };
  return { document: visit(document, visitWithTypeInfo(typeInfo, visitor)), refused, types };
}

/** The name under which an answer has a field. */
export function responseKeyOf({ alias, name }: FieldNode): string {
  return (alias ?? name).value;
}

function dropIncremental({ name }: DirectiveNode): null | undefined {
  return name.value === 'defer' || name.value === 'stream' ? null : undefined;
}

function isParent(type: unknown): type is Parent {
  return isObjectType(type) || isInterfaceType(type);
}

function placeholder(node: FieldNode, name: string): FieldNode {
  return {
    kind: Kind.FIELD,
    alias: { kind: Kind.NAME, value: name },
    name: { kind: Kind.NAME, value: '__typename' },
    ...(node.directives && { directives: node.directives }),
  };
}

// The beginning of names that the document does not use.
function freeName(document: DocumentNode): string {
  let free = 'refused_';
  const avoid = ({ value }: NameNode): void => {
    const taken = /^refused_+/.exec(value)?.[0] ?? '';
    if (taken.length >= free.length) free = `${taken}_`;
  };
  visit(document, { Name: avoid });
  return free;
}
