import type { Logger } from '../kernel/logger';
import { noMeter, type Meter } from '../signals/meter';
import { mayBeImported, sha256Of } from './imported-secret';
import type { KeyDigest, KeyDigester } from './key-digest';
import { isWellFormedKey } from './key-secret';
import type { PresentedKey, Verdict } from './presented-key';
import type { VerificationRepository } from './verification.repository';

export type { PresentedKey };

type Digests = readonly [KeyDigest, ...KeyDigest[]];

/** Judges presented secrets. */
export class VerificationService {
  /**
   * Takes what judging needs.
   * @param acceptImported whether secrets of other shapes than ours may be keys
   */
  constructor(
    private readonly repository: VerificationRepository,
    private readonly digester: KeyDigester,
    private readonly logger: Logger,
    private readonly acceptImported = false,
    private readonly meter: Meter = noMeter,
  ) {}

  /**
   * Judges a secret by what the database says now: a verdict is never kept, so a revocation that
   * was answered holds for every later call on every replica.
   * @param mayKnow whether whoever asks may know of a key; one that they may not is to them, in
   * every respect, one that does not exist
   * @throws UnavailableError when the database cannot be asked; there is no verdict without it
   */
  verify(secret: string, mayKnow: (key: PresentedKey) => boolean = () => true): Promise<Verdict> {
    return this.meter.verification(() => this.#judge(secret, mayKnow));
  }

  async #judge(secret: string, mayKnow: (key: PresentedKey) => boolean): Promise<Verdict> {
    const wellFormed = isWellFormedKey(secret);
    const importable = this.acceptImported && (wellFormed || mayBeImported(secret));
    if (!wellFormed && !importable) return { outcome: 'MALFORMED' };
    const candidates = this.digester.candidates(secret);
    // What may not be known is dropped at once, so that it is looked for as long as what is not there.
    const known = (key?: PresentedKey): PresentedKey | undefined =>
      key !== undefined && mayKnow(key) ? key : undefined;
    const key =
      (wellFormed ? known(await this.repository.find(candidates)) : undefined) ??
      (importable ? known(await this.#findImported(secret, candidates)) : undefined);
    if (key === undefined) return { outcome: wellFormed ? 'UNKNOWN' : 'MALFORMED' };
    if (key.pepperId !== candidates[0].pepperId) await this.#rehash(secret, key, candidates[0]);
    return { outcome: key.status === 'ACTIVE' ? 'VALID' : key.status, key };
  }

  // An imported key is kept by its secret's own digest after its first use, by that of its SHA-256
  // before; one query asks for both.
  async #findImported(secret: string, used: Digests): Promise<PresentedKey | undefined> {
    return this.repository.find([...used, ...this.digester.importedCandidates(sha256Of(secret))]);
  }

  async #rehash(secret: string, key: PresentedKey, newest: KeyDigest): Promise<void> {
    try {
      if (this.acceptImported) {
        const [imported] = this.digester.importedCandidates(sha256Of(secret));
        await this.repository.rehashImported(key, newest, imported);
      } else await this.repository.rehash(key, newest);
    } catch (error) {
      this.logger.warn({ err: error }, 'a key could not be re-hashed; its next use tries again');
    }
  }
}
