import type { Transaction } from '../database/database';
import type { Actor } from '../kernel/actor';
import { newUuid, type OrganizationId } from '../kernel/ids';
import { AuditEventEntity } from './audit-event.entity';
import type { AuditEntry } from './audit-event';

/** Where and by whom a change was made. */
export interface AuditOrigin {
  readonly organizationId: OrganizationId;
  readonly actor: Actor;
  readonly requestId: string;
  readonly ip: string | null;
  readonly at: Date;
}

/** Adds rows to `audit_events`; there is no other thing to do with them. */
export class AuditRepository {
  /** Adds one event. */
  async add(tx: Transaction, origin: AuditOrigin, entry: AuditEntry): Promise<void> {
    await tx.insert(AuditEventEntity, {
      id: newUuid(),
      organizationId: origin.organizationId,
      at: origin.at,
      actorKind: origin.actor.kind,
      actorId: origin.actor.id,
      actorName: origin.actor.name,
      action: entry.action,
      targetType: entry.targetType,
      targetId: entry.targetId,
      targetName: entry.targetName,
      changes: entry.changes,
      requestId: origin.requestId,
      ip: origin.ip,
    });
  }
}
