import { createHash } from 'node:crypto';

// Long enough for any key that stands in a header, short enough to be hashed without a thought.
const presentable = /^[\x21-\x7e]{1,512}$/;

/**
 * Whether a text of another shape than ours may be the secret of an imported key: 1 to 512
 * printable ASCII characters without spaces.
 */
export function mayBeImported(secret: string): boolean {
  return presentable.test(secret);
}

/** The SHA-256 of a secret, which is all that an import tells of it; 32 bytes. */
export function sha256Of(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

const hex = /^[0-9a-f]{64}$/i;
const base64url = /^[0-9A-Za-z_-]{43}=?$/;

/** The 32 bytes of a SHA-256 in hexadecimal or base64url, or undefined when it is neither. */
export function parseSha256(text: string): Buffer | undefined {
  if (hex.test(text)) return Buffer.from(text, 'hex');
  if (!base64url.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // The last digit holds two bits too many: only one way to write the bytes is right.
  return bytes.toString('base64url') === text.replace('=', '') ? bytes : undefined;
}
