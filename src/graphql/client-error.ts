import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { AppError } from '../kernel/errors';
import { echoable } from '../kernel/redaction';
import { describeRefusal } from './limit-refusal';

/** Where a variable's value went wrong, as graphql-js words it: `at "input.tags[3]"`. */
const variablePath = /^Variable "\$(\w+)" got invalid value [\s\S]*? at "(\w+[\w.[\]]*)"/;

/**
 * Faults of the document or its variables that graphql-js meets only when it executes, and to
 * which neither it nor Apollo gives a code; it tells them from faults of resolvers by words alone.
 */
const lateFault = /^(?:Argument "\w+" (?:of|has) |Too many errors processing variables)/;

/** What a client sees when something went wrong that is none of its business. */
export const maskedMessage =
  'Something went wrong inside Keyward. Report the requestId to its operators.';

/**
 * The error as a client may see it: what to do and nothing from inside. Anything that is neither
 * an AppError nor the document's own fault is masked.
 */
export function toClientError(
  formatted: GraphQLFormattedError,
  error: unknown,
): GraphQLFormattedError {
  const cause = causeOf(error);
  if (cause instanceof AppError) {
    return { ...formatted, message: echoable(cause.message), extensions: extensionsOf(cause) };
  }
  if (isUnexpected(error)) {
    return { ...formatted, message: maskedMessage, extensions: { code: 'INTERNAL_SERVER_ERROR' } };
  }
  const described = describeRefusal(formatted);
  const field = variablePath.exec(described.message.slice(0, 10_000))?.[2];
  return {
    ...described,
    message: echoable(described.message),
    extensions: {
      ...described.extensions,
      ...(isLateFault(cause) && { code: 'BAD_USER_INPUT' }),
      ...(field !== undefined && { field }),
    },
  };
}

/** The error without graphql-js's guess at what was meant, which tells names of the schema. */
export function withoutSuggestions(error: GraphQLFormattedError): GraphQLFormattedError {
  return { ...error, message: error.message.replace(/ Did you mean [^?]+\?$/, '') };
}

/** The members of `extensions` that an AppError shows. */
export function extensionsOf(error: AppError): Record<string, unknown> {
  const details = Object.entries(error.details).map(
    ([name, value]) => [name, typeof value === 'string' ? echoable(value) : value] as const,
  );
  return { code: error.code, ...Object.fromEntries(details) };
}

/** Whether an error is nobody's fault but ours: it is logged whole and masked. */
export function isUnexpected(error: unknown): boolean {
  const cause = causeOf(error);
  if (cause instanceof AppError || isLateFault(cause)) return false;
  const code = error instanceof GraphQLError ? error.extensions.code : undefined;
  return code === undefined || code === 'INTERNAL_SERVER_ERROR';
}

/** What was thrown, without what graphql-js wrapped around it. */
export function causeOf(error: unknown): unknown {
  return error instanceof GraphQLError ? (error.originalError ?? error) : error;
}

function isLateFault(cause: unknown): boolean {
  return cause instanceof GraphQLError && lateFault.test(cause.message);
}
