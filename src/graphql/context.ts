import type { Caller, Principal } from '../kernel/principal';

/** What is noted about a request while it is answered, for its usage record. */
export interface RequestJournal {
  /** The name of the GraphQL operation, once it is known. */
  operation: string | null;
  /** Whether a field was refused because the key lacks a scope. */
  insufficientScope: boolean;
}

/** What every resolver gets: who is calling, and the request's journal. */
export interface RequestContext {
  readonly caller: Caller<Principal>;
  readonly journal: RequestJournal;
}

/**
 * Makes something once for each request, such as a DataLoader: what one request loaded is never
 * seen by another.
 */
export function perRequest<Thing>(
  make: (context: RequestContext) => Thing,
): (context: RequestContext) => Thing {
  const things = new WeakMap<RequestContext, Thing>();
  return (context) => {
    const known = things.get(context);
    if (known !== undefined) return known;
    const made = make(context);
    things.set(context, made);
    return made;
  };
}
