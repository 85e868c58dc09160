// The shape of a key wherever it stands in a text; see keys/key-secret.ts.
const keyLike = /[A-Za-z][A-Za-z0-9]{0,15}_(?:(?:live|test)_)?[0-9A-Za-z]{39}(?![0-9A-Za-z])/g;

/** The text with everything that looks like an API key taken out. */
export function redactKeys(text: string): string {
  return text.replaceAll(keyLike, '[redacted]');
}
