import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Pepper } from '../config';

/** What the database keeps of a secret. */
export interface KeyDigest {
  /** HMAC-SHA-256 of the secret under a pepper; 32 bytes. */
  readonly digest: Buffer;
  /** Names the pepper; with `:sha256` behind it, the digest is that of an imported key's SHA-256. */
  readonly pepperId: string;
}

const importedMark = Buffer.from('\0sha256\0');

/**
 * Makes digests under versioned peppers. A key's secret is random by itself, so a fast keyed
 * digest is right: a stolen pepper forges nothing, a stolen database opens nothing.
 */
export class KeyDigester {
  readonly #peppers: readonly { readonly id: string; readonly key: KeyObject }[];

  /**
   * Takes the peppers in use.
   * @param peppers newest first
   * @throws Error when there is none
   */
  constructor(peppers: readonly Pepper[]) {
    if (peppers.length === 0) throw new Error('at least one pepper is needed');
    this.#peppers = peppers.map(({ id, secret }) => ({ id, key: createSecretKey(secret, 'utf8') }));
  }

  /** The digests a stored key may have, that of the newest pepper first. */
  candidates(secret: string): readonly [KeyDigest, ...KeyDigest[]] {
    return this.#candidates(secret, '');
  }

  /**
   * The digests under which an imported key may be kept until its first use, that of the newest
   * pepper first. What they are made of begins with NUL, as no presented secret does: who knows a
   * key's SHA-256 has nothing to present.
   * @param sha256 of its secret; 32 bytes
   */
  importedCandidates(sha256: Buffer): readonly [KeyDigest, ...KeyDigest[]] {
    return this.#candidates(Buffer.concat([importedMark, sha256]), ':sha256');
  }

  /** The digest to store. */
  current(secret: string): KeyDigest {
    return this.candidates(secret)[0];
  }

  #candidates(text: string | Buffer, form: string): readonly [KeyDigest, ...KeyDigest[]] {
    const [newest, ...older] = this.#peppers.map(({ id, key }) => ({
      digest: createHmac('sha256', key).update(text).digest(),
      pepperId: id + form,
    }));
    if (newest === undefined) throw new Error('at least one pepper is needed');
    return [newest, ...older];
  }
}
