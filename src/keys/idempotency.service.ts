import type { Database, Transaction } from '../database/database';
import { ConflictError } from '../kernel/errors';
import type { ApiKeyId } from '../kernel/ids';
import type { Caller } from '../kernel/principal';
import type { ApiKey } from './api-key';
import type { ApiKeyRepository } from './api-key.repository';
import { fingerprintOf } from './fingerprint';
import type { IdempotencyRepository } from './idempotency.repository';

/** A request for a new key. */
export interface KeyRequested {
  /** The client's name for the request; undefined: each one is a new request. */
  readonly idempotencyKey: string | undefined;
  /** Everything that was asked for, as JSON values. */
  readonly asked: readonly unknown[];
  /** The key it makes, if it is the first. */
  readonly apiKeyId: ApiKeyId;
  readonly at: Date;
}

/** Makes sure that a request for a new key which is sent again makes no second one. */
export class IdempotencyService {
  constructor(
    private readonly database: Database,
    private readonly requests: IdempotencyRepository,
    private readonly keys: ApiKeyRepository,
  ) {}

  /**
   * Claims the request for this transaction; other replicas that got it too wait for its end.
   * @returns the key that an earlier request with the same idempotency key (organization-wide, 24
   * hours) made; undefined: this is the first
   * @throws ConflictError when the earlier request asked for something else
   */
  async findEarlier(
    tx: Transaction,
    { principal: { organizationId } }: Caller,
    { idempotencyKey, asked, apiKeyId, at }: KeyRequested,
  ): Promise<ApiKey | undefined> {
    if (idempotencyKey === undefined) return undefined;
    const fingerprint = fingerprintOf(asked);
    const request = { organizationId, idempotencyKey, fingerprint, apiKeyId, at };
    const earlier = await this.requests.claim(tx, request);
    if (earlier === undefined) return undefined;
    if (!earlier.sameInput) {
      throw new ConflictError(
        'This idempotencyKey was used with another input in the last 24 hours. Use a new one.',
        { field: 'input.idempotencyKey' },
      );
    }
    return this.keys.find(tx, organizationId, earlier.apiKeyId);
  }

  /**
   * Forgets, little by little, the requests that are too old to be answered for.
   * @param signal stops it before its next step
   */
  async discard(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.requests.deleteSome(this.database)));
  }
}
