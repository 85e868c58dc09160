import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Pepper } from '../config';

/** What the database keeps of a secret. */
export interface KeyDigest {
  /** HMAC-SHA-256 of the secret under a pepper; 32 bytes. */
  readonly digest: Buffer;
  /** Names the pepper. */
  readonly pepperId: string;
}

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
    const [newest, ...older] = this.#peppers.map(({ id, key }) => ({
      digest: createHmac('sha256', key).update(secret).digest(),
      pepperId: id,
    }));
    if (newest === undefined) throw new Error('at least one pepper is needed');
    return [newest, ...older];
  }

  /** The digest to store. */
  current(secret: string): KeyDigest {
    return this.candidates(secret)[0];
  }
}
