import type { AuditEntry } from '../audit/audit-event';
import type { Product } from '../config-product';
import type { Transaction } from '../database/database';
import { PolicyError } from '../kernel/errors';
import type { ApiKeyId } from '../kernel/ids';
import type { Caller, Environment } from '../kernel/principal';
import type { EffectivePolicy } from '../organizations/key-policy';
import type { ApiKey, ApiKeyLabels, NewApiKey } from './api-key';
import type { Expiry } from './api-key-input';
import type { ApiKeyRepository } from './api-key.repository';
import { createdChanges } from './created-changes';
import { requireGrantable } from './grant';
import type { KeyDigester } from './key-digest';
import { mintKey } from './key-secret';
import { fixExpiry } from './lifetime';

/** A key to be issued; its text and scopes are checked. */
export interface KeyOrder {
  readonly id: ApiKeyId;
  readonly labels: ApiKeyLabels;
  readonly environment: Environment;
  readonly scopes: readonly string[];
  readonly expiry: Expiry;
  readonly predecessor: ApiKey | null;
  /** false: it is to take the place of a key that stops, so the organization has no more keys. */
  readonly isAdditional: boolean;
  /** What counts for it, read in the transaction that issues it. */
  readonly policy: EffectivePolicy;
}

/** An issued key, its secret, and the event that the transaction has yet to record, last of all. */
export interface IssuedKey {
  readonly apiKey: ApiKey;
  readonly secret: string;
  readonly event: AuditEntry;
}

/** Makes and stores keys: the one place where secrets come from, and where grants are judged. */
export class IssuingService {
  constructor(
    private readonly keys: ApiKeyRepository,
    private readonly digester: KeyDigester,
    private readonly product: Pick<Product, 'keys' | 'catalogue'>,
  ) {}

  /**
   * Issues a key in the transaction.
   * @param now the instant of its creation, by the database's clock
   * @throws InputError naming `input.expiresAt`
   * @throws PolicyError with rule GRANT_SCOPES, GRANT_ENVIRONMENT, GRANT_EXPIRY,
   * EXPIRATION_REQUIRED, MAX_LIFETIME or MAX_ACTIVE_KEYS
   */
  async issue(tx: Transaction, caller: Caller, order: KeyOrder, now: Date): Promise<IssuedKey> {
    const { organizationId, actor } = caller.principal;
    const { id, labels, environment, scopes, predecessor } = order;
    const expiresAt = fixExpiry(order.expiry, now, order.policy);
    requireGrantable(caller.principal, { scopes, environment, expiresAt }, this.product.catalogue);
    if (order.isAdditional) await this.#requireRoom(tx, caller, order.policy.maxActiveKeys);
    const { secret, prefix, redacted } = mintKey(this.product.keys, environment);
    const key: NewApiKey = {
      ...labels,
      ...{ id, organizationId, environment, prefix, redacted, scopes, expiresAt },
      ...{ createdAt: now, createdBy: actor, predecessorId: predecessor?.id ?? null },
    };
    await this.keys.add(tx, key, this.digester.current(secret));
    return { apiKey: asNew(key), secret, event: createdEvent(key) };
  }

  async #requireRoom(tx: Transaction, { principal }: Caller, max: number | null): Promise<void> {
    if (max === null) return;
    if ((await this.keys.countActive(tx, principal.organizationId, max)) < max) return;
    throw new PolicyError(
      'MAX_ACTIVE_KEYS',
      `The organization has ${max} active keys, which is all it may have. Revoke one first.`,
    );
  }
}

function asNew(key: NewApiKey): ApiKey {
  return {
    ...key,
    ...{ status: 'ACTIVE', lastUsedAt: null, revocation: null },
    ...{ successor: null, retiresAt: null, readAt: key.createdAt },
  };
}

function createdEvent(key: NewApiKey): AuditEntry {
  return {
    action: 'api_key.created',
    targetType: 'ApiKey',
    targetId: key.id,
    targetName: key.name,
    changes: createdChanges(key),
  };
}
