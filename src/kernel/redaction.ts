import { withoutControls } from './text';

// The shape of a key wherever it stands in a text, with whatever was typed behind it; see
// keys/key-secret.ts.
const keyLike = /[A-Za-z][A-Za-z0-9]{0,15}_(?:(?:live|test)_)?[0-9A-Za-z]{39,}/g;

const longestEcho = 500;
const echoedEnd = 200;

/**
 * A text that may repeat what a client sent, fit to be sent back or kept: at most 500 characters of
 * its beginning and end, and without keys. Cut first, for a request may hold a megabyte; and never
 * inside a word, which could leave half a key.
 */
export function echoable(text: string): string {
  if (text.length <= longestEcho) return redactKeys(text);
  const start = text.slice(0, longestEcho - echoedEnd).replace(/\w+$/, '');
  const end = text.slice(-echoedEnd).replace(/^\w+/, '');
  return redactKeys(`${start}…${end}`);
}

/** A text that a client chose, fit to be kept: echoable, and without what no text may hold. */
export function recordable(text: string): string {
  return withoutControls(echoable(text));
}

/** The text with everything that looks like an API key taken out. */
export function redactKeys(text: string): string {
  return text.replaceAll(keyLike, '[redacted]');
}
