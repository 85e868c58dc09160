import type { Logger } from '../kernel/logger';
import type { KeyDigester } from './key-digest';
import { isWellFormedKey } from './key-secret';
import type { PresentedKey, VerificationRepository } from './verification.repository';

export type { PresentedKey };

/** What a presented secret is worth; an expected outcome, so a value and not an exception. */
export type Verdict =
  | { readonly outcome: 'MALFORMED' }
  | { readonly outcome: 'UNKNOWN' }
  | { readonly outcome: 'VALID' | 'EXPIRED' | 'REVOKED'; readonly key: PresentedKey };

/** Judges presented secrets. */
export class VerificationService {
  constructor(
    private readonly repository: VerificationRepository,
    private readonly digester: KeyDigester,
    private readonly logger: Logger,
  ) {}

  /**
   * Judges a secret by what the database says now: a verdict is never kept, so a revocation that
   * was answered holds for every later call on every replica.
   * @throws UnavailableError when the database cannot be asked; there is no verdict without it
   */
  async verify(secret: string): Promise<Verdict> {
    if (!isWellFormedKey(secret)) return { outcome: 'MALFORMED' };
    const candidates = this.digester.candidates(secret);
    const key = await this.repository.find(candidates);
    if (key === undefined) return { outcome: 'UNKNOWN' };
    const [newest] = candidates;
    if (key.pepperId !== newest.pepperId) {
      await this.repository.rehash(key, newest).catch((error: unknown) => {
        this.logger.warn({ err: error }, 'a key could not be re-hashed; its next use tries again');
      });
    }
    return { outcome: key.status === 'ACTIVE' ? 'VALID' : key.status, key };
  }
}
