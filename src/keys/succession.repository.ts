import type { Transaction } from '../database/database';
import type { Actor } from '../kernel/actor';
import type { ApiKeyId, OrganizationId } from '../kernel/ids';
import type { ApiKey, Successor } from './api-key';
import { ApiKeyEntity } from './api-key.entity';

// Any number will do, as long as every Keyward process uses the same; the other half of the lock's
// name is the organization.
const successionLock = 1_764_100;

/** Reads and writes which key took whose place. */
export class SuccessionRepository {
  /**
   * Keeps successions and bulk revocations of an organization apart until the transaction ends:
   * many successions (`share`) go on side by side, a bulk revocation (`exclusive`) has none beside
   * it, so that no key it meets gets a successor that it does not see. To be taken before the locks
   * on keys.
   */
  async lock(
    tx: Transaction,
    organizationId: OrganizationId,
    mode: 'share' | 'exclusive',
  ): Promise<void> {
    const suffix = mode === 'share' ? '_shared' : '';
    await tx.query(`SELECT pg_advisory_xact_lock${suffix}($1, hashtext($2))`, [
      successionLock,
      organizationId,
    ]);
  }

  /**
   * Notes on a key, which the transaction has locked, that another took its place.
   * @param retirement when the key stops by itself, and by whose doing; undefined: it does not
   */
  async setSuccessor(
    tx: Transaction,
    { id, organizationId }: ApiKey,
    successor: Successor,
    retirement: { readonly at: Date; readonly by: Actor } | undefined,
  ): Promise<void> {
    await tx.update(
      ApiKeyEntity,
      { id, organizationId },
      {
        successorId: successor.id,
        succeededAt: successor.at,
        ...(retirement !== undefined && {
          retiresAt: retirement.at,
          retiredByKind: retirement.by.kind,
          retiredById: retirement.by.id,
          retiredByName: retirement.by.name,
        }),
      },
    );
  }

  /**
   * The last of the keys before this one in its line that works now: its predecessor or, if that
   * has stopped, the one before.
   */
  async findWorkingPredecessor(
    tx: Transaction,
    { organizationId, predecessorId }: ApiKey,
  ): Promise<Pick<ApiKey, 'id' | 'redacted' | 'retiresAt'> | undefined> {
    if (predecessorId === null) return undefined;
    const rows: Pick<ApiKey, 'id' | 'redacted' | 'retiresAt'>[] = await tx.query(
      `WITH RECURSIVE line AS (
         SELECT key.*, api_key_status(key) = 'ACTIVE' AS works FROM api_keys key
         WHERE organization_id = $1 AND id = $2
         UNION ALL
         SELECT key.*, api_key_status(key) = 'ACTIVE' FROM line
           JOIN api_keys key ON key.id = line.predecessor_id AND NOT line.works
       )
       SELECT id, redacted, retires_at AS "retiresAt" FROM line WHERE works`,
      [organizationId, predecessorId],
    );
    return rows[0];
  }

  /**
   * What is shown of the keys that took the place of these, directly or one after the other, and
   * work now, but for these; oldest first.
   */
  async findWorkingSuccessors(
    tx: Transaction,
    organizationId: OrganizationId,
    ids: readonly ApiKeyId[],
  ): Promise<readonly string[]> {
    const rows: { redacted: string }[] = await tx.query(
      `WITH RECURSIVE line AS (
         SELECT successor_id AS id FROM api_keys WHERE organization_id = $1 AND id = ANY($2)
         UNION
         SELECT key.successor_id FROM line JOIN api_keys key ON key.id = line.id
       )
       SELECT key.redacted FROM line JOIN api_keys key ON key.id = line.id
       WHERE key.organization_id = $1 AND key.id <> ALL($2) AND api_key_status(key) = 'ACTIVE'
       ORDER BY key.id`,
      [organizationId, ids],
    );
    return rows.map(({ redacted }) => redacted);
  }
}
