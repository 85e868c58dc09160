/** The codes a client can meet in `extensions.code`; each has one meaning for ever. */
export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'POLICY_VIOLATION'
  | 'UNAUTHENTICATED'
  | 'UNAUTHORIZED_FIELD_OR_TYPE'
  | 'UNAVAILABLE';

/** Facts a client may read beside the message; JSON values only, never a secret. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * An expected refusal whose message may be shown to the caller as it stands.
 * Everything that is not an AppError is logged whole and masked.
 */
export abstract class AppError extends Error {
  protected constructor(
    readonly code: ErrorCode,
    publicMessage: string,
    readonly details: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(publicMessage, options);
    this.name = new.target.name;
  }
}

/** Input that cannot be accepted; `field` is the argument's path, such as `input.name`. */
export class InputError extends AppError {
  constructor(
    readonly field: string,
    publicMessage: string,
  ) {
    super('BAD_USER_INPUT', publicMessage, { field });
  }
}

/** The thing does not exist, or belongs to another organization: the two answer alike. */
export class NotFoundError extends AppError {
  constructor(publicMessage: string) {
    super('NOT_FOUND', publicMessage);
  }
}

/** The request contradicts what has happened already, such as a reused idempotency key. */
export class ConflictError extends AppError {
  constructor(publicMessage: string, details: ErrorDetails = {}) {
    super('CONFLICT', publicMessage, details);
  }
}

/** A rule of the product or organization forbids it; `rule` is the rule's stable name. */
export class PolicyError extends AppError {
  constructor(rule: string, publicMessage: string, details: ErrorDetails = {}) {
    super('POLICY_VIOLATION', publicMessage, { rule, ...details });
  }
}

/** Why presented credentials were refused. EXPIRED and REVOKED only when the secret was right. */
export type CredentialRefusal = 'MALFORMED' | 'UNKNOWN' | 'EXPIRED' | 'REVOKED';

/** The presented credentials are bad, so the whole request is refused with 401. */
export class AuthenticationError extends AppError {
  constructor(
    readonly reason: CredentialRefusal,
    publicMessage: string = messageFor[reason],
  ) {
    super('UNAUTHENTICATED', publicMessage, { reason });
  }
}

const messageFor: Record<CredentialRefusal, string> = {
  MALFORMED: 'The API key is not valid. Check that it was copied whole.',
  UNKNOWN: 'The API key is not valid. Check that it was copied whole.',
  EXPIRED: 'The API key has expired. Create a new one.',
  REVOKED: 'The API key has been revoked. Create a new one.',
};

/**
 * A protected field was reached without the right to see it; only that field becomes null.
 * Codes and reasons as Apollo's routers use them for `@authenticated` and `@requiresScopes`.
 */
export class FieldRefusedError extends AppError {
  constructor(
    readonly reason: 'UNAUTHENTICATED' | 'INSUFFICIENT_SCOPE' | 'WRONG_ENVIRONMENT',
    publicMessage: string,
    details: ErrorDetails = {},
  ) {
    super('UNAUTHORIZED_FIELD_OR_TYPE', publicMessage, { reason, ...details });
  }
}

/** Keyward cannot know just now, so it refuses (HTTP 503); the same request may be sent again. */
export class UnavailableError extends AppError {
  constructor(cause?: unknown, unreachable = 'its database') {
    super(
      'UNAVAILABLE',
      `Keyward cannot reach ${unreachable} just now. Send the request again; with the same idempotencyKey nothing is created twice.`,
      {},
      { cause },
    );
  }
}
