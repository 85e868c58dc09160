import { uuidv7 } from 'uuidv7';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Identifies an organization; a UUID. */
export type OrganizationId = Branded<'OrganizationId'>;
/** Identifies an API key's row (never its secret); a UUID. */
export type ApiKeyId = Branded<'ApiKeyId'>;
/** Identifies a person in one organization; a UUID. */
export type UserId = Branded<'UserId'>;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text is a UUID of any version, in any case. */
export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

/** A new UUID of version 7 (RFC 9562): sorted by creation, so that indexes grow at one end. */
export function newUuid(): string {
  return uuidv7();
}

/** A new id for an organization. */
export function newOrganizationId(): OrganizationId {
  return newUuid() as OrganizationId; // branding is what this function is for
}

/** A new id for an API key. */
export function newApiKeyId(): ApiKeyId {
  return newUuid() as ApiKeyId; // branding is what this function is for
}

/** A new id for a person. */
export function newUserId(): UserId {
  return newUuid() as UserId; // branding is what this function is for
}

/** The id a client sent, or undefined when it cannot be one: nothing has such an id. */
export function parseApiKeyId(text: string): ApiKeyId | undefined {
  return isUuid(text) ? (text.toLowerCase() as ApiKeyId) : undefined; // checked by the pattern
}

/** The id a client sent, or undefined when it cannot be one: nothing has such an id. */
export function parseOrganizationId(text: string): OrganizationId | undefined {
  return isUuid(text) ? (text.toLowerCase() as OrganizationId) : undefined; // checked by the pattern
}

/** The id of a person's row, or undefined when it cannot be one. */
export function parseUserId(text: string): UserId | undefined {
  return isUuid(text) ? (text.toLowerCase() as UserId) : undefined; // checked by the pattern
}
