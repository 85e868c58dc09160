import type { Transaction } from '../database/database';
import type { ActorKind } from '../kernel/actor';
import { parseOrganizationId, type OrganizationId } from '../kernel/ids';
import { chainHash, chainStart, type ChainedEvent } from './audit-chain';

/** The end of an organization's chain. */
export interface ChainEnd {
  readonly organizationId: OrganizationId;
  readonly sequence: number;
  readonly hash: Buffer;
  /** The place of the first event that stands beside the chain; it was written past Keyward. */
  readonly strayAt: number | undefined;
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

interface EndRow {
  readonly organization_id: string;
  readonly sequence: number | null;
  readonly hash: Buffer | null;
  readonly stray_at: number | null;
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

// Sequences are read as float8, which pg makes numbers of: events written past Keyward may stand
// at places that no integer of four bytes reaches.

/** Adds events to the chains of their organizations, and reads the chains for proof. */
export class AuditChainRepository {
  /**
   * Adds events of one organization to the end of its chain, in the order given. Other transactions
   * that want to add one wait until this one ends, so that a chain never forks.
   */
  async add(
    tx: Transaction,
    organizationId: OrganizationId,
    events: readonly Omit<ChainedEvent, 'sequence'>[],
  ): Promise<void> {
    const [end]: ChainRow[] = await tx.query(
      `INSERT INTO audit_chains AS chain (organization_id, sequence, hash) VALUES ($1, $3, $2)
       ON CONFLICT (organization_id) DO UPDATE SET sequence = chain.sequence + $3
       RETURNING organization_id, sequence::float8, hash`,
      [organizationId, chainStart, events.length],
    );
    if (end === undefined) throw new Error('an organization has no audit chain');
    const chained: StoredEvent[] = [];
    let { hash } = end;
    for (const [index, each] of events.entries()) {
      const event = { ...each, sequence: end.sequence - events.length + index + 1 };
      hash = chainHash(hash, event);
      chained.push({ event, hash });
    }
    await tx.query(
      `INSERT INTO audit_events (id, organization_id, sequence, at, actor_kind, actor_id,
         actor_name, action, target_type, target_id, target_name, changes, request_id, ip, hash)
       SELECT id, $1, sequence, at, actor_kind, actor_id, actor_name, action, target_type,
         target_id, target_name, changes::json, request_id, ip, hash
       FROM unnest($2::uuid[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
         $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
         $15::bytea[]) AS event (id, sequence, at, actor_kind, actor_id, actor_name, action,
         target_type, target_id, target_name, changes, request_id, ip, hash)`,
      [organizationId, ...toColumns(chained)],
    );
    await tx.query(`UPDATE audit_chains SET hash = $2 WHERE organization_id = $1`, [
      organizationId,
      hash,
    ]);
  }

  /** Where the chain of every organization ends, those included of which there is nothing left. */
  async ends(tx: Transaction): Promise<readonly ChainEnd[]> {
    const rows: EndRow[] = await tx.query(
      `SELECT organization.id AS organization_id, chain.sequence::float8, chain.hash, stray_at
       FROM organizations organization
         LEFT JOIN audit_chains chain ON chain.organization_id = organization.id
         CROSS JOIN LATERAL (
           SELECT least(
             (SELECT min(sequence) FROM audit_events
              WHERE organization_id = organization.id AND sequence < 1),
             (SELECT min(sequence) FROM audit_events
              WHERE organization_id = organization.id AND sequence > coalesce(chain.sequence, 0))
           )::float8 AS stray_at
         ) strays
       ORDER BY organization.id`,
    );
    return rows.map((row) => ({
      organizationId: organizationOf(row),
      sequence: row.sequence ?? 0,
      hash: row.hash ?? chainStart,
      strayAt: row.stray_at ?? undefined,
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
      `SELECT event.*, event.sequence::float8 AS place, event.changes::text AS said
       FROM audit_events event
       WHERE organization_id = $1 AND event.sequence > $2 ORDER BY event.sequence LIMIT $3`,
      [organizationId, afterSequence, limit],
    );
    return rows.map((row) => ({ event: toChained(row), hash: row.hash }));
  }
}

function toColumns(rows: readonly StoredEvent[]): readonly unknown[] {
  const events = rows.map(({ event }) => event);
  return [
    events.map(({ id }) => id),
    events.map(({ sequence }) => sequence),
    events.map(({ at }) => at.toISOString()),
    events.map(({ actor }) => actor.kind),
    events.map(({ actor }) => actor.id),
    events.map(({ actor }) => actor.name),
    events.map(({ action }) => action),
    events.map(({ targetType }) => targetType),
    events.map(({ targetId }) => targetId),
    events.map(({ targetName }) => targetName),
    events.map(({ changes }) => changes),
    events.map(({ requestId }) => requestId),
    events.map(({ ip }) => ip),
    rows.map(({ hash }) => hash),
  ];
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
