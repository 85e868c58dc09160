import type { Database, Transaction } from '../database/database';
import { deleteSome } from '../database/delete-some';
import { parseApiKeyId, type ApiKeyId, type OrganizationId } from '../kernel/ids';

/** A request that must not happen twice. */
export interface IdempotentRequest {
  readonly organizationId: OrganizationId;
  readonly idempotencyKey: string;
  /** SHA-256 of what was asked for. */
  readonly fingerprint: Buffer;
  /** The key it makes, if it is the first. */
  readonly apiKeyId: ApiKeyId;
  readonly at: Date;
}

/** What became of an earlier request with the same idempotency key. */
export interface EarlierRequest {
  readonly apiKeyId: ApiKeyId;
  readonly sameInput: boolean;
}

/** Remembers idempotent requests for 24 hours. */
export class IdempotencyRepository {
  /**
   * Claims an idempotency key for this transaction. Of concurrent claims, on whatever replica, one
   * is first; the others wait for its transaction to end and then get what it left.
   * @returns undefined when this claim is the first
   */
  async claim(tx: Transaction, request: IdempotentRequest): Promise<EarlierRequest | undefined> {
    const claimed: unknown[] = await tx.query(
      `INSERT INTO idempotent_requests AS earlier
         (organization_id, idempotency_key, fingerprint, api_key_id, created_at)
       VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (organization_id, idempotency_key) DO UPDATE
         SET fingerprint = excluded.fingerprint, api_key_id = excluded.api_key_id,
             created_at = excluded.created_at
         WHERE earlier.created_at <= excluded.created_at - interval '24 hours'
       RETURNING 1`,
      [
        request.organizationId,
        request.idempotencyKey,
        request.fingerprint,
        request.apiKeyId,
        request.at,
      ],
    );
    return claimed.length > 0 ? undefined : this.#earlier(tx, request);
  }

  /**
   * Deletes some of the requests that no claim can meet any more: after 25 hours, for transactions
   * that began within the 24 may still be going on.
   * @returns whether there may be more
   */
  async deleteSome(database: Database): Promise<boolean> {
    const isOld = `created_at <= statement_timestamp() - interval '25 hours'`;
    return deleteSome(database, 'idempotent_requests', isOld);
  }

  async #earlier(tx: Transaction, request: IdempotentRequest): Promise<EarlierRequest> {
    const rows: { id: string; sameInput: boolean }[] = await tx.query(
      `SELECT api_key_id AS id, fingerprint = $3 AS "sameInput" FROM idempotent_requests
       WHERE organization_id = $1 AND idempotency_key = $2`,
      [request.organizationId, request.idempotencyKey, request.fingerprint],
    );
    const [row] = rows;
    const apiKeyId = row === undefined ? undefined : parseApiKeyId(row.id);
    if (row === undefined || apiKeyId === undefined) throw new Error('a claimed key is not there');
    return { apiKeyId, sameInput: row.sameInput };
  }
}
