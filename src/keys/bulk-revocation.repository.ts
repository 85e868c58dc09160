import type { Transaction } from '../database/database';
import type { ApiKeyId, OrganizationId } from '../kernel/ids';
import type { Revocation } from './api-key';

/** Revokes many keys with one statement. */
export class BulkRevocationRepository {
  /** Revokes keys that the transaction has locked and that are not revoked. */
  async setRevocations(
    tx: Transaction,
    organizationId: OrganizationId,
    ids: readonly ApiKeyId[],
    { at, by, reason, note }: Revocation,
  ): Promise<void> {
    await tx.query(
      `UPDATE api_keys SET revoked_at = $3, revoked_by_kind = $4, revoked_by_id = $5,
         revoked_by_name = $6, revocation_reason = $7, revocation_note = $8
       WHERE organization_id = $1 AND id = ANY($2)`,
      [organizationId, ids, at, by.kind, by.id, by.name, reason, note],
    );
  }
}
