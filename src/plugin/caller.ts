import type { Environment } from '../kernel/principal';

/** Who is calling, as Keyward says; of a caller without credentials nothing but nulls. */
export interface KeywardContext {
  readonly apiKey: {
    readonly id: string;
    readonly name: string;
    readonly environment: Environment;
    /** null: never. */
    readonly expiresAt: Date | null;
  } | null;
  readonly organization: { readonly id: string } | null;
  readonly environment: Environment | null;
  /** Effective scopes: full access is expanded to the whole catalogue. */
  readonly scopes: readonly string[];
}

/** A caller who presented no credentials; each request its own, for servers add to contexts. */
export function anonymousCaller(): KeywardContext {
  return { apiKey: null, organization: null, environment: null, scopes: [] };
}

/** The scopes of a context's caller; undefined when it says nothing of one with a key. */
export function scopesOf(context: unknown): ReadonlySet<string> | undefined {
  if (typeof context !== 'object' || context === null) return undefined;
  const { apiKey, scopes }: { apiKey?: unknown; scopes?: unknown } = context;
  if (typeof apiKey !== 'object' || apiKey === null || !Array.isArray(scopes)) return undefined;
  return new Set<unknown>(scopes) as ReadonlySet<string>; // what is no string equals no scope
}

/** Judges a caller anew; throws a GraphQLError when the key is not valid any more. */
type Judge = () => Promise<unknown>;

// By the list of scopes, which stays the same where a context is spread into another.
const judges = new WeakMap<object, Judge>();

/** Remembers how a caller is judged anew, for as long as the request has a context. */
export function judgedBy(caller: KeywardContext, judge: Judge): KeywardContext {
  judges.set(caller.scopes, judge);
  return caller;
}

/**
 * Judges the caller of a context anew, as each event of a subscription needs, which may outlive its
 * key. Does nothing about a context that `keywardContext` has no part in.
 * @throws GraphQLError when the key is not valid any more, or Keyward cannot say
 */
export async function judgeAnew(context: unknown): Promise<void> {
  if (typeof context !== 'object' || context === null) return;
  const { scopes }: { scopes?: unknown } = context;
  if (Array.isArray(scopes)) await judges.get(scopes)?.();
}
