import type { Transaction } from '../database/database';
import type { ActorKind } from '../kernel/actor';
import { parseOrganizationId, type OrganizationId } from '../kernel/ids';
import { chainHash, chainStart, type ChainedEvent } from './audit-chain';

/** The end of an organization's chain. */
export interface ChainEnd {
  readonly organizationId: OrganizationId;
  readonly sequence: number;
  readonly hash: Buffer;
}

/** An event as it is stored, and the hash that was stored with it. */
export interface StoredEvent {
  readonly event: ChainedEvent;
  readonly hash: Buffer;
}

interface ChainRow {
  readonly organization_id: string;
  readonly sequence: number;
  readonly hash: Buffer;
}

interface EventRow extends Omit<ChainRow, 'sequence'> {
  readonly id: string;
  readonly at: Date;
  readonly actor_kind: ActorKind;
  readonly actor_id: string | null;
  readonly actor_name: string;
  readonly action: string;
  readonly target_type: string;
  readonly target_id: string;
  readonly target_name: string | null;
  readonly place: number;
  readonly said: string;
  readonly request_id: string;
  readonly ip: string | null;
}

/** Adds events to the chains of their organizations, and reads the chains for proof. */
export class AuditChainRepository {
  /**
   * Adds an event to the end of its organization's chain. Other transactions that want to add one
   * wait until this one ends, so that a chain never forks.
   */
  async add(tx: Transaction, event: Omit<ChainedEvent, 'sequence'>): Promise<void> {
    const [end]: ChainRow[] = await tx.query(
      `INSERT INTO audit_chains AS chain (organization_id, sequence, hash) VALUES ($1, 1, $2)
       ON CONFLICT (organization_id) DO UPDATE SET sequence = chain.sequence + 1
       RETURNING organization_id, sequence::int, hash`,
      [event.organizationId, chainStart],
    );
    if (end === undefined) throw new Error('an organization has no audit chain');
    const { sequence } = end;
    const hash = chainHash(end.hash, { ...event, sequence });
    await tx.query(
      `INSERT INTO audit_events (id, organization_id, sequence, at, actor_kind, actor_id,
         actor_name, action, target_type, target_id, target_name, changes, request_id, ip, hash)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
      [
        event.id,
        event.organizationId,
        sequence,
        event.at,
        event.actor.kind,
        event.actor.id,
        event.actor.name,
        event.action,
        event.targetType,
        event.targetId,
        event.targetName,
        event.changes,
        event.requestId,
        event.ip,
        hash,
      ],
    );
    await tx.query(`UPDATE audit_chains SET hash = $2 WHERE organization_id = $1`, [
      event.organizationId,
      hash,
    ]);
  }

  /** The ends of all chains. */
  async ends(tx: Transaction): Promise<readonly ChainEnd[]> {
    const rows: ChainRow[] = await tx.query(
      `SELECT organization_id, sequence::int, hash FROM audit_chains ORDER BY organization_id`,
    );
    return rows.map((row) => ({
      organizationId: organizationOf(row),
      sequence: row.sequence,
      hash: row.hash,
    }));
  }

  /** Up to `limit` events of a chain that come after a place in it, in its order. */
  async read(
    tx: Transaction,
    organizationId: OrganizationId,
    afterSequence: number,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    const rows: EventRow[] = await tx.query(
      `SELECT event.*, event.sequence::int AS place, event.changes::text AS said
       FROM audit_events event
       WHERE organization_id = $1 AND event.sequence > $2 ORDER BY event.sequence LIMIT $3`,
      [organizationId, afterSequence, limit],
    );
    return rows.map((row) => ({ event: toChained(row), hash: row.hash }));
  }
}

function organizationOf({
  organization_id: id,
}: Pick<ChainRow, 'organization_id'>): OrganizationId {
  const organizationId = parseOrganizationId(id);
  if (organizationId === undefined) throw new Error('an audit chain holds no UUID');
  return organizationId;
}

function toChained(row: EventRow): ChainedEvent {
  return {
    id: row.id,
    organizationId: organizationOf(row),
    sequence: row.place,
    at: row.at,
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
    action: row.action,
    targetType: row.target_type,
    targetId: row.target_id,
    targetName: row.target_name,
    changes: row.said,
    requestId: row.request_id,
    ip: row.ip,
  };
}
