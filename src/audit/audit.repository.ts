import type { SelectQueryBuilder } from 'typeorm';
import type { Transaction } from '../database/database';
import { countTotal } from '../database/list-total';
import { InputError } from '../kernel/errors';
import { parseOrganizationId, type OrganizationId } from '../kernel/ids';
import { cutPage, encodeCursor, type Cursor, type Page, type PageRequest } from '../kernel/pages';
import type { AuditEvent, AuditEventFilter } from './audit-event';
import { AuditEventEntity } from './audit-event.entity';

/** Names a list, so that its cursors are refused by any other list and any other organization. */
export function auditListName(organizationId: OrganizationId): string {
  return `audit_events of ${organizationId}`;
}

type Query = SelectQueryBuilder<AuditEventEntity>;

/** Reads the events of one organization, newest first. */
export class AuditRepository {
  /** One page of the events that meet the filter. */
  async page(
    tx: Transaction,
    organizationId: OrganizationId,
    filter: AuditEventFilter,
    request: PageRequest,
  ): Promise<Page<AuditEvent>> {
    const query = listQuery(tx, organizationId, filter)
      .orderBy('event.sequence', request.backward ? 'ASC' : 'DESC')
      .limit(request.size + 1);
    const { after, before } = request;
    if (after) query.andWhere('event.sequence < :after', { after: sequenceOf(after, 'after') });
    if (before)
      query.andWhere('event.sequence > :before', { before: sequenceOf(before, 'before') });
    const events = await query.getMany();
    const name = auditListName(organizationId);
    const rows = events.map((row) => ({
      node: toAuditEvent(row),
      cursor: encodeCursor({ value: row.sequence, id: row.id }, name),
    }));
    return cutPage(rows, request);
  }

  /** How many events meet the filter; counted up to 100,000. */
  async count(
    tx: Transaction,
    organizationId: OrganizationId,
    filter: AuditEventFilter,
  ): Promise<number> {
    return countTotal(tx, listQuery(tx, organizationId, filter));
  }
}

function listQuery(
  tx: Transaction,
  organizationId: OrganizationId,
  { from, to, actions, actorId, targetId, requestId }: AuditEventFilter,
): Query {
  const query = tx
    .createQueryBuilder(AuditEventEntity, 'event')
    .where('event.organization_id = :organizationId', { organizationId });
  if (from != null) query.andWhere('event.at >= :from', { from });
  if (to != null) query.andWhere('event.at < :to', { to });
  if (actions != null) query.andWhere('event.action = ANY(:actions)', { actions });
  if (actorId != null) query.andWhere('event.actor_id = :actorId', { actorId });
  if (targetId != null) query.andWhere('event.target_id = :targetId', { targetId });
  if (requestId != null) query.andWhere('event.request_id = :requestId', { requestId });
  return query;
}

function sequenceOf({ value }: Cursor, field: string): string {
  if (/^\d{1,18}$/.test(value)) return value;
  throw new InputError(field, `${field} is not a cursor of this list.`);
}

function toAuditEvent(row: AuditEventEntity): AuditEvent {
  const organizationId = parseOrganizationId(row.organizationId);
  if (organizationId === undefined) throw new Error('audit_events holds no UUID');
  return {
    id: row.id,
    organizationId,
    sequence: Number(row.sequence),
    at: row.at,
    actor: { kind: row.actorKind, id: row.actorId, name: row.actorName },
    action: row.action,
    targetType: row.targetType,
    targetId: row.targetId,
    targetName: row.targetName,
    changes: row.changes,
    requestId: row.requestId,
    ip: row.ip,
  };
}
