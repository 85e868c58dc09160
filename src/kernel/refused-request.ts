import { challenges } from './challenges';

interface TellingError {
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** What HTTP says of a request that is refused whole. */
export interface RequestRefusal {
  readonly status: 401 | 403;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * How HTTP tells of a GraphQL answer in which every root field was refused; undefined for all
 * others, whose data counts. Source: product page, "Callers and answers"; RFC 6750, section 3.
 */
export function refusalOfAll(
  data: object | null | undefined,
  errors: readonly TellingError[],
): RequestRefusal | undefined {
  if (!everyRootFieldRefused(data, errors)) return undefined;
  const reasons = errors.map(({ extensions }) => extensions?.reason);
  return reasons.includes('UNAUTHENTICATED')
    ? { status: 401, headers: { 'www-authenticate': challenges.noCredentials } }
    : { status: 403, headers: { 'www-authenticate': challenges.insufficientScope } };
}

function everyRootFieldRefused(
  data: object | null | undefined,
  errors: readonly TellingError[],
): boolean {
  const refused = errors.filter(
    ({ extensions }) => extensions?.code === 'UNAUTHORIZED_FIELD_OR_TYPE',
  );
  if (refused.length === 0) return false;
  if (data == null) return refused.some(({ path }) => path === undefined || path.length === 1);
  const roots = new Set(
    refused.filter(({ path }) => path?.length === 1).map(({ path }) => path?.[0]),
  );
  return Object.keys(data).every((key) => roots.has(key));
}
