import { GraphQLError, type GraphQLFormattedError } from 'graphql';

const advice = {
  tokens: 'Split it into several requests, and move long literal values into variables.',
  depth: 'Ask for the deeper part in a request of its own.',
  aliases: 'Ask for a list instead of aliasing one field many times, or send several requests.',
  fragments: 'Merge fragments, or send several requests.',
  rootFields: 'Ask for a list instead of many single things, or send several requests.',
  directives: 'Remove directives, or send several requests.',
  nameLength: 'Shorten aliases and the names of operations, fragments and variables.',
  comparisons: 'Name each field once, or send several requests.',
  cost: 'Ask for smaller pages (first, last), fewer nested lists or fewer fields.',
};

const subject = {
  tokens: 'The document has too many tokens',
  depth: 'The document nests fields too deeply',
  aliases: 'The document has too many aliases',
  fragments: 'The document has too many fragments and spreads',
  rootFields: 'An operation has too many root fields',
  directives: 'The document has too many directives',
  nameLength: 'The document has a name with too many characters',
  comparisons: 'The document names the same fields too often to be checked',
  cost: 'The operation may resolve too many fields',
};

/** The name of a limit, as a refusal carries it in `extensions.limit`. */
export type LimitName = keyof typeof advice;

/** The number from which counts are no longer exact: sums and products stop here. */
const countless = 1_000_000_000;

/** Limits a sum or product of counts, so that arithmetic on hostile documents stays finite. */
export function saturate(count: number): number {
  return Math.min(count, countless);
}

/** A refusal's words: which limit, what is allowed and was found where that is known, what to do. */
function refusalMessage(limit: LimitName, allowed?: number, found?: number): string {
  const rule = allowed === undefined ? '' : `: ${allowed} are allowed`;
  const counted = found !== undefined && found >= countless ? 'too many to count' : found;
  const instead = counted === undefined ? '' : `, this one has ${counted}`;
  return `${subject[limit]}${rule} (limit "${limit}")${instead}. ${advice[limit]}`;
}

/** The error that refuses a document beyond a limit: HTTP 400, code GRAPHQL_VALIDATION_FAILED. */
export function limitRefusal(limit: LimitName, allowed: number, found: number): GraphQLError {
  return new GraphQLError(refusalMessage(limit, allowed, found), {
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED', limit, http: { status: 400 } },
  });
}

/** graphql-js marks its refusal of too many tokens by these words alone ("that" is its typo). */
const tokenRefusal = /^Syntax Error: Document contains more tha[tn] (\d+) tokens\./;

/** What graphql-js says when comparing fields that share a name takes more steps than it allows. */
const comparisonRefusal = 'Validation aborted.';

/**
 * Whether an error, formatted or not, refuses a document because a limit was passed. graphql-js's
 * own refusals count, rewritten by `describeRefusal` or not.
 */
export function isLimitRefusal(error: GraphQLError | GraphQLFormattedError): boolean {
  const limit = error.extensions?.limit;
  if (typeof limit === 'string' && limit in advice) return true;
  return tokenRefusal.test(error.message) || error.message === comparisonRefusal;
}

/**
 * Gives graphql-js's own refusals the words and the `extensions.limit` of the other limits; any
 * other error is returned as it came. To be called from Apollo's `formatError`.
 */
export function describeRefusal(error: GraphQLFormattedError): GraphQLFormattedError {
  if (error.message === comparisonRefusal) return described(error, 'comparisons');
  const allowed = tokenRefusal.exec(error.message)?.[1];
  return allowed === undefined ? error : described(error, 'tokens', Number(allowed));
}

function described(
  error: GraphQLFormattedError,
  limit: LimitName,
  allowed?: number,
): GraphQLFormattedError {
  const extensions = { ...error.extensions, limit };
  return { ...error, message: refusalMessage(limit, allowed), extensions };
}
