import { GraphQLError, type GraphQLFormattedError } from 'graphql';

const advice = {
  tokens: 'Split it into several requests, and move long literal values into variables.',
  depth: 'Ask for the deeper part in a request of its own.',
  aliases: 'Ask for a list instead of aliasing one field many times, or send several requests.',
  fragments: 'Merge fragments, or send several requests.',
  rootFields: 'Ask for a list instead of many single things, or send several requests.',
  directives: 'Remove directives, or send several requests.',
  cost: 'Ask for smaller pages (first, last), fewer nested lists or fewer fields.',
};

const subject = {
  tokens: 'The document has too many tokens',
  depth: 'The document nests fields too deeply',
  aliases: 'The document has too many aliases',
  fragments: 'The document has too many fragments and spreads',
  rootFields: 'An operation has too many root fields',
  directives: 'The document has too many directives',
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

/** A refusal's words: which limit, what is allowed, what was found if known, what to do. */
function refusalMessage(limit: LimitName, allowed: number, found?: number): string {
  const counted = found !== undefined && found >= countless ? 'too many to count' : found;
  const instead = counted === undefined ? '' : `, this one has ${counted}`;
  return `${subject[limit]}: ${allowed} are allowed (limit "${limit}")${instead}. ${advice[limit]}`;
}

/** The error that refuses a document beyond a limit: HTTP 400, code GRAPHQL_VALIDATION_FAILED. */
export function limitRefusal(limit: LimitName, allowed: number, found: number): GraphQLError {
  return new GraphQLError(refusalMessage(limit, allowed, found), {
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED', limit, http: { status: 400 } },
  });
}

/** graphql-js marks its refusal of too many tokens by these words alone ("that" is its typo). */
const tokenRefusal = /^Syntax Error: Document contains more tha[tn] (\d+) tokens\./;

/**
 * Whether an error, formatted or not, refuses a document because a limit was passed. The parser's
 * own refusal of too many tokens counts, rewritten by `describeTokenRefusal` or not.
 */
export function isLimitRefusal(error: GraphQLError | GraphQLFormattedError): boolean {
  const limit = error.extensions?.limit;
  return (typeof limit === 'string' && limit in advice) || tokenRefusal.test(error.message);
}

/**
 * Gives the parser's refusal of too many tokens the words and the `extensions.limit` of the other
 * limits; any other error is returned as it came. To be called from Apollo's `formatError`.
 */
export function describeTokenRefusal(error: GraphQLFormattedError): GraphQLFormattedError {
  const allowed = tokenRefusal.exec(error.message)?.[1];
  if (allowed === undefined) return error;
  return {
    ...error,
    message: refusalMessage('tokens', Number(allowed)),
    extensions: { ...error.extensions, limit: 'tokens' satisfies LimitName },
  };
}
