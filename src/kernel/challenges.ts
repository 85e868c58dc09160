/** How long a client should wait before it asks again what could not be decided, in seconds. */
export const retryAfterSeconds = '1';

/** The challenges of RFC 6750, section 3, that come with refusals. */
export const challenges = {
  noCredentials: 'Bearer realm="keyward"',
  badCredentials: 'Bearer error="invalid_token"',
  insufficientScope: 'Bearer error="insufficient_scope"',
} as const;
