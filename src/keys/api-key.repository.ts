import { In } from 'typeorm';
import type { Transaction } from '../database/database';
import {
  parseApiKeyId,
  parseOrganizationId,
  type ApiKeyId,
  type OrganizationId,
} from '../kernel/ids';
import type { ApiKey, ApiKeyLabels, NewApiKey, Revocation, Successor } from './api-key';
import { ApiKeyEntity } from './api-key.entity';
import type { KeyDigest } from './key-digest';

/** Reads and writes rows of `api_keys`, always inside one organization. */
export class ApiKeyRepository {
  /** The keys of the organization with these ids, in no particular order. */
  async findByIds(
    tx: Transaction,
    organizationId: OrganizationId,
    ids: readonly ApiKeyId[],
  ): Promise<ApiKey[]> {
    const rows = await tx.findBy(ApiKeyEntity, { organizationId, id: In(ids) });
    return rows.map(toApiKey);
  }

  /** Keys of several organizations, each by its own: in the order asked, undefined where it has none. */
  async findEach(
    tx: Transaction,
    wanted: readonly Pick<ApiKey, 'organizationId' | 'id'>[],
  ): Promise<readonly (ApiKey | undefined)[]> {
    const rows = await tx.findBy(ApiKeyEntity, {
      organizationId: In([...new Set(wanted.map(({ organizationId }) => organizationId))]),
      id: In([...new Set(wanted.map(({ id }) => id))]),
    });
    const found = new Map(rows.map(toApiKey).map((key) => [key.id, key]));
    return wanted.map(({ organizationId, id }) => {
      const key = found.get(id);
      return key?.organizationId === organizationId ? key : undefined;
    });
  }

  /** One key of the organization. */
  async find(
    tx: Transaction,
    organizationId: OrganizationId,
    id: ApiKeyId,
  ): Promise<ApiKey | undefined> {
    return (await this.findByIds(tx, organizationId, [id]))[0];
  }

  /**
   * Locks keys until the transaction ends, in the order of their ids so that two transactions
   * never wait for each other. Who waits is served in turn.
   */
  async lock(
    tx: Transaction,
    organizationId: OrganizationId,
    ids: readonly ApiKeyId[],
  ): Promise<void> {
    await tx.query(
      `SELECT id FROM api_keys WHERE organization_id = $1 AND id = ANY($2) ORDER BY id
       FOR NO KEY UPDATE`,
      [organizationId, ids],
    );
  }

  /** How many active keys the organization has, counted up to `limit`. */
  async countActive(
    tx: Transaction,
    organizationId: OrganizationId,
    limit: number,
  ): Promise<number> {
    const rows: { count: number }[] = await tx.query(
      `SELECT count(*)::int AS count FROM (
         SELECT FROM api_keys key
         WHERE organization_id = $1 AND revoked_at IS NULL AND api_key_status(key) = 'ACTIVE'
         LIMIT $2) AS active`,
      [organizationId, limit],
    );
    return rows[0]?.count ?? 0;
  }

  /** Stores a new key with the digest of its secret. */
  async add(tx: Transaction, key: NewApiKey, digest: KeyDigest): Promise<void> {
    const { createdBy, organizationId, scopes, tags, ...columns } = key;
    await tx.insert(ApiKeyEntity, {
      ...columns,
      ...digest,
      organizationId,
      scopes: [...scopes],
      tags: [...tags],
      createdByKind: createdBy.kind,
      createdById: createdBy.id,
      createdByName: createdBy.name,
    });
    await tx.query(`INSERT INTO api_key_last_uses (api_key_id, organization_id) VALUES ($1, $2)`, [
      key.id,
      organizationId,
    ]);
  }

  /** Overwrites what people wrote on a key. */
  async setLabels(tx: Transaction, key: ApiKey, labels: ApiKeyLabels): Promise<void> {
    const { id, organizationId } = key;
    await tx.update(ApiKeyEntity, { id, organizationId }, { ...labels, tags: [...labels.tags] });
  }

  /** Revokes a key that is not revoked. */
  async setRevocation(tx: Transaction, key: ApiKey, revocation: Revocation): Promise<void> {
    const { id, organizationId } = key;
    await tx.update(
      ApiKeyEntity,
      { id, organizationId },
      {
        revokedAt: revocation.at,
        revokedByKind: revocation.by.kind,
        revokedById: revocation.by.id,
        revokedByName: revocation.by.name,
        revocationReason: revocation.reason,
        revocationNote: revocation.note,
      },
    );
  }
}

/** The model of a row. */
export function toApiKey(row: ApiKeyEntity): ApiKey {
  const id = parseApiKeyId(row.id);
  const organizationId = parseOrganizationId(row.organizationId);
  if (id === undefined || organizationId === undefined) throw new Error('api_keys holds no UUID');
  return {
    id,
    organizationId,
    name: row.name,
    description: row.description,
    environment: row.environment,
    prefix: row.prefix,
    redacted: row.redacted,
    scopes: row.scopes,
    status: row.status,
    createdAt: row.createdAt,
    createdBy: { kind: row.createdByKind, id: row.createdById, name: row.createdByName },
    expiresAt: row.expiresAt,
    lastUsedAt: row.lastUsedAt,
    owner: row.owner,
    application: row.application,
    usageLocation: row.usageLocation,
    tags: row.tags,
    metadata: { ...row.metadata },
    revocation: toRevocation(row) ?? toRetirement(row),
    predecessorId: row.predecessorId === null ? null : (parseApiKeyId(row.predecessorId) ?? null),
    successor: toSuccessor(row),
    retiresAt: row.retiresAt,
    readAt: row.readAt,
  };
}

function toSuccessor({ successorId, succeededAt: at }: ApiKeyEntity): Successor | null {
  const id = successorId === null ? undefined : parseApiKeyId(successorId);
  return id === undefined || at === null ? null : { id, at };
}

// A key whose grace has ended counts as revoked from that instant on, by whoever rotated it.
function toRetirement(row: ApiKeyEntity): Revocation | null {
  const { status, retiresAt: at, retiredByKind: kind, retiredByName: name } = row;
  if (status !== 'REVOKED' || at === null || kind === null || name === null) return null;
  return { at, by: { kind, id: row.retiredById, name }, reason: 'REPLACED', note: null };
}

function toRevocation(row: ApiKeyEntity): Revocation | null {
  const { revokedAt, revocationReason, revokedByKind, revokedByName } = row;
  if (revokedAt === null || revocationReason === null) return null;
  if (revokedByKind === null || revokedByName === null) return null;
  return {
    at: revokedAt,
    by: { kind: revokedByKind, id: row.revokedById, name: revokedByName },
    reason: revocationReason,
    note: row.revocationNote,
  };
}
