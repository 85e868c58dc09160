import type { ParseOptions, ValidationRule } from 'graphql';
import { documentShape } from './document-shape';
import { limitRefusal } from './limit-refusal';

/**
 * How large a GraphQL document may be. Each number is the largest that is still answered; together
 * they keep every request within 100 ms of CPU.
 * @source product page, promise 6
 */
export interface DocumentLimits {
  /** Lexical tokens, as graphql-js counts them: comments, commas and white space are free. */
  readonly maxTokens: number;
  /** Fields below each other in an operation, the root field being 1, fragments expanded. */
  readonly maxDepth: number;
  /** Aliased fields as written, anywhere in the document. */
  readonly maxAliases: number;
  /** Fragment definitions, named spreads and inline fragments as written, taken together. */
  readonly maxFragments: number;
  /** Fields at the top of an operation, fragments expanded, repetitions counted. */
  readonly maxRootFields: number;
  /** Directives as written, anywhere in the document. */
  readonly maxDirectives: number;
  /** Characters of a name, an alias foremost: a list repeats it with every item it answers with. */
  readonly maxNameLength: number;
  /** Fields that an operation may resolve, by the estimate of `operationCost`. */
  readonly maxCost: number;
}

/**
 * Room for the standard introspection query (184 tokens, 15 deep), for what gateways plan and for
 * a dashboard's page (about 600 tokens), and for little more: comparing fields that share a name
 * takes quadratic time, and with 1,000 tokens the worst known document takes about 40 ms to
 * validate, with 2,000 about 100 ms.
 */
export const defaultDocumentLimits: DocumentLimits = {
  maxTokens: 1_000,
  maxDepth: 16,
  maxAliases: 100,
  maxFragments: 200,
  maxRootFields: 30,
  maxDirectives: 50,
  maxNameLength: 128,
  maxCost: 10_000,
};

/**
 * Rules for Apollo's `validationRules` that refuse a document beyond its limits: one error for
 * each limit that was passed, marked for `isLimitRefusal`, to be answered with HTTP 400.
 * They run beside the specified rules, whose work `maxTokens` bounds. Tokens and cost are not
 * theirs: see `documentLimitOptions` and `costLimitPlugin`.
 */
function documentLimitRules(limits: DocumentLimits): ValidationRule[] {
  return [
    (context) => ({
      Document(document) {
        const shape = documentShape(document);
        for (const [limit, allowed] of [
          ['depth', limits.maxDepth],
          ['aliases', limits.maxAliases],
          ['fragments', limits.maxFragments],
          ['rootFields', limits.maxRootFields],
          ['directives', limits.maxDirectives],
          ['nameLength', limits.maxNameLength],
        ] as const) {
          const found = shape[limit];
          if (found > allowed) context.reportError(limitRefusal(limit, allowed, found));
        }
      },
    }),
  ];
}

/** The part of ApolloServer's options that `documentLimitOptions` sets. */
export interface DocumentLimitOptions {
  readonly parseOptions: ParseOptions;
  readonly validationOptions: { readonly maxErrors: number };
  readonly validationRules: ValidationRule[];
  readonly executionOptions: { readonly maxCoercionErrors: number };
}

/**
 * Everything ApolloServer must be told for the limits to hold, to be spread into its options;
 * `costLimitPlugin` belongs beside it.
 *
 * `noLocation`, because graphql-js finds an error's line by reading the source from its start, for
 * every error again: 100 errors behind a megabyte of line ends take two seconds, and so can a
 * page of refused fields. Errors keep their path, syntax errors their line.
 * `maxErrors` and `maxCoercionErrors`, because an error may repeat a name of any length, or a whole
 * variable: 50 errors about an input object of 80,000 fields take two seconds and 43 MB.
 */
export function documentLimitOptions(limits: DocumentLimits): DocumentLimitOptions {
  return {
    parseOptions: { maxLexicalTokens: limits.maxTokens, noLocation: true },
    validationOptions: { maxErrors: 10 },
    validationRules: documentLimitRules(limits),
    executionOptions: { maxCoercionErrors: 1 },
  };
}
