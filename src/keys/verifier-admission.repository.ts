import type { Transaction } from '../database/database';
import type { ApiKeyId, OrganizationId } from '../kernel/ids';

/** Adds rows of `verifier_admissions`: which service key has verified keys of which organization. */
export class VerifierAdmissionRepository {
  /**
   * Adds a key's admissions to organizations; of several transactions at once, one adds each.
   * @returns those that were new, in the order in which every transaction takes them
   */
  async add(
    tx: Transaction,
    verifierKeyId: ApiKeyId,
    organizationIds: readonly OrganizationId[],
    at: Date,
  ): Promise<readonly OrganizationId[]> {
    const rows: { organization_id: OrganizationId }[] = await tx.query(
      `INSERT INTO verifier_admissions (organization_id, verifier_key_id, at)
       SELECT id, $1, $3 FROM unnest($2::uuid[]) AS id ORDER BY id
       ON CONFLICT DO NOTHING RETURNING organization_id`,
      [verifierKeyId, organizationIds, at],
    );
    return rows.map((row) => row.organization_id).sort();
  }
}
