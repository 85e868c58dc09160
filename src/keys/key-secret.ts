import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Environment } from '../kernel/principal';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const bodyLength = 33; // 33 base62 characters hold 196 bits
const checksumLength = 6; // 62^6 is more than 2^32
const visibleBody = 6;
const visibleTail = 4;

// Any product's prefix, so that keys keep working when the product chooses another one.
const shape = /^[A-Za-z][A-Za-z0-9]{0,15}_(?:(?:live|test)_)?[0-9A-Za-z]{39}$/;
const longestKey = 16 + 1 + 5 + bodyLength + checksumLength;

/** What a product's keys look like. */
export interface KeyFormat {
  /** What every key begins with, such as `sk`. */
  readonly prefix: string;
  /** Whether `live` or `test` stands after it. */
  readonly showEnvironment: boolean;
}

/** A new secret, and the parts of it that may be shown for ever. */
export interface MintedKey {
  /** The whole key; shown once and kept nowhere. */
  readonly secret: string;
  /** Everything up to the sixth character of the body: `sk_live_abc123`. */
  readonly prefix: string;
  /** The prefix, `...`, and the last four characters: `sk_live_abc123...GHIJ`. */
  readonly redacted: string;
}

/**
 * Makes a key: `<prefix>[_<environment>]_<body><checksum>`, the body 33 characters from a
 * cryptographic source without modulo bias, the checksum that of GitHub's tokens.
 */
export function mintKey(format: KeyFormat, environment: Environment): MintedKey {
  const start = format.showEnvironment
    ? `${format.prefix}_${environment.toLowerCase()}_`
    : `${format.prefix}_`;
  const body = Array.from({ length: bodyLength }, () => alphabet.charAt(randomInt(62))).join('');
  const secret = start + body + checksum(start + body);
  const prefix = start + body.slice(0, visibleBody);
  return { secret, prefix, redacted: `${prefix}...${secret.slice(-visibleTail)}` };
}

/**
 * Whether a text has the shape and checksum of a key. A filter that spares the database mistyped
 * keys, never proof: anybody can compute a checksum.
 */
export function isWellFormedKey(text: string): boolean {
  if (text.length > longestKey || !shape.test(text)) return false;
  return checksum(text.slice(0, -checksumLength)) === text.slice(-checksumLength);
}

/** Six base62 digits (0-9, A-Z, a-z) of the CRC-32 of the text, as GitHub's tokens end in. */
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let index = 0; index < checksumLength; index += 1) {
    digits = alphabet.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
