import type { KeyRequest, VerificationOutcome } from '../kernel/key-request';
import type { Caller, Principal } from '../kernel/principal';

/** What is noted about a request while it is answered, for the usage records it leaves. */
export interface RequestJournal {
  /** Which service was asked; Keyward itself, unless it judges the request for another. */
  service: string;
  /** The name of the GraphQL operation, once it is known. */
  operation: string | null;
  /** What its key, though alive, was refused for; a field of GraphQL is enough. */
  refused: Extract<VerificationOutcome, 'INSUFFICIENT_SCOPE' | 'WRONG_ENVIRONMENT'> | null;
  /** The verifications it asked for, each to be recorded beside the request itself. */
  readonly verifications: KeyRequest[];
}

/** A journal with nothing in it but the operation's name, if that is known from the beginning. */
export function newJournal(operation: string | null = null): RequestJournal {
  return { service: 'keyward', operation, refused: null, verifications: [] };
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
