import type { Transaction } from '../database/database';
import { AuthenticationError } from '../kernel/errors';
import type { ApiKeyId } from '../kernel/ids';
import type { KnownPrincipal } from '../kernel/principal';
import type { ApiKeyRepository } from './api-key.repository';

/**
 * Makes sure inside a transaction that the key which asks for a change may still do so. Between
 * the request's verdict and its change somebody may have revoked it; the lock taken here makes
 * either the revocation wait for the change, or the change see the revocation. Changes by one key take
 * turns, first come, first served: locks that they shared would let a stolen key put off its own
 * revocation for as long as it keeps on asking for changes.
 */
export class CallerGuard {
  constructor(private readonly keys: ApiKeyRepository) {}

  /**
   * Locks the caller's key, and with it the keys to be changed, in an order that cannot deadlock.
   * @throws AuthenticationError when the caller's key was revoked or expired meanwhile
   */
  async admit(
    tx: Transaction,
    principal: KnownPrincipal,
    changed: readonly ApiKeyId[] = [],
  ): Promise<void> {
    const { organizationId } = principal;
    const own = principal.kind === 'API_KEY' ? [principal.apiKeyId] : [];
    await this.keys.lock(tx, organizationId, [...own, ...changed]);
    for (const id of own) {
      const key = await this.keys.find(tx, organizationId, id);
      if (key?.status === 'ACTIVE') continue;
      throw new AuthenticationError(key?.status ?? 'UNKNOWN');
    }
  }
}
