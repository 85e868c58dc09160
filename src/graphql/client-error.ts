import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { AppError } from '../kernel/errors';
import { describeTokenRefusal } from './limit-refusal';
import { redactKeys } from '../kernel/redaction';

/** Where a variable's value went wrong, as graphql-js words it: `at "input.tags[3]"`. */
const variablePath = /^Variable "\$(\w+)" got invalid value [\s\S]*? at "(\w+[\w.[\]]*)"/;

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
    return { ...formatted, message: cause.message, extensions: extensionsOf(cause) };
  }
  if (isUnexpected(formatted)) {
    return { ...formatted, message: maskedMessage, extensions: { code: 'INTERNAL_SERVER_ERROR' } };
  }
  const described = describeTokenRefusal(formatted);
  const field = variablePath.exec(described.message)?.[2];
  return {
    ...described,
    message: redactKeys(described.message),
    extensions: { ...described.extensions, ...(field !== undefined && { field }) },
  };
}

/** The members of `extensions` that an AppError shows. */
export function extensionsOf(error: AppError): Record<string, unknown> {
  return { code: error.code, ...error.details };
}

/** Whether an error is nobody's fault but ours: it is logged whole. */
export function isUnexpected({ extensions }: GraphQLFormattedError): boolean {
  return extensions?.code === undefined || extensions.code === 'INTERNAL_SERVER_ERROR';
}

/** What was thrown, without what graphql-js wrapped around it. */
export function causeOf(error: unknown): unknown {
  return error instanceof GraphQLError ? (error.originalError ?? error) : error;
}
