import { defaultFieldResolver, type GraphQLSchema } from 'graphql';
import { InputError } from '../kernel/errors';
import type { RequestContext } from './context';

/** How an entity is found by its key, as `@apollo/subgraph` wants it. */
export interface EntityReference {
  readonly __resolveReference: (
    reference: Readonly<Record<string, unknown>>,
    context: RequestContext,
  ) => Promise<object | null>;
}

/**
 * Makes `_entities` refuse representations of things that are no entities here, or that lack their
 * key, with an error that names the one at fault.
 */
export function checkRepresentations(schema: GraphQLSchema): void {
  const entities = schema.getQueryType()?.getFields()._entities;
  const known = schema.getType('_Entity');
  if (entities === undefined || known === undefined || !('getTypes' in known)) return;
  const names = new Set(known.getTypes().map(({ name }) => name));
  const { resolve = defaultFieldResolver } = entities;
  entities.resolve = (source, args: { representations: readonly unknown[] }, context, info) => {
    args.representations.forEach((each, index) => {
      checkRepresentation(each, names, `representations.${index}`);
    });
    return resolve(source, args, context, info);
  };
}

interface Representation {
  readonly __typename?: unknown;
  readonly id?: unknown;
}

function isObject(given: unknown): given is Representation {
  return typeof given === 'object' && given !== null;
}

function checkRepresentation(given: unknown, names: ReadonlySet<string>, field: string): void {
  const { __typename: type, id }: Representation = isObject(given) ? given : {};
  if (typeof type !== 'string' || !names.has(type)) {
    const known = [...names].join(' or ');
    throw new InputError(`${field}.__typename`, `${field}.__typename must be ${known}.`);
  }
  if (typeof id !== 'string') throw new InputError(`${field}.id`, `${field}.id must be a string.`);
}
