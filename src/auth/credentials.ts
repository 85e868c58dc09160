/** What a request presents; parsed before anything is judged. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  /** An Authorization header that is no Bearer token (RFC 6750, section 2.1). */
  | { readonly kind: 'malformed' }
  /** More than one Authorization header: which one counts is not for us to guess. */
  | { readonly kind: 'ambiguous' };

const bearer = /^bearer +([^\s]+) *$/i;

/**
 * Reads the credentials of a request from its Authorization header, and from nowhere else: keys in
 * URLs, bodies and cookies end up in logs.
 * @param rawHeaders names and values in turn, as Node has them
 */
export function parseCredentials(rawHeaders: readonly string[]): Credentials {
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  );
  const [value] = values;
  if (value === undefined) return { kind: 'none' };
  if (values.length > 1) return { kind: 'ambiguous' };
  const token = bearer.exec(value)?.[1];
  return token === undefined ? { kind: 'malformed' } : { kind: 'bearer', token };
}
