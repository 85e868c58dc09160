/** What a request presents; parsed before anything is judged. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  /** A Bearer token in the shape of a person's: a JSON Web Token, good or bad. */
  | { readonly kind: 'token'; readonly token: string }
  /** An Authorization header that is no Bearer token (RFC 6750, section 2.1). */
  | { readonly kind: 'malformed' }
  /** More than one Authorization header: which one counts is not for us to guess. */
  | { readonly kind: 'ambiguous' };

const bearer = /^bearer +([^\s]+) *$/i;

// RFC 7515, section 3.1: three parts in base64url. The last is empty in unsigned ones, which are
// told apart from keys too, so that they are refused as what they are.
const jsonWebToken = /^[\w-]+\.[\w-]*\.[\w-]*$/;

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
  if (token === undefined) return { kind: 'malformed' };
  return { kind: jsonWebToken.test(token) ? 'token' : 'bearer', token };
}
