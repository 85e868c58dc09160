import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ActorKind } from '../kernel/actor';

/** A row of `audit_events`, which the database lets nobody change. */
@Entity('audit_events')
export class AuditEventEntity {
  @PrimaryColumn('uuid') id: string;
  @Column('uuid', { name: 'organization_id' }) organizationId: string;
  @Column('bigint') sequence: string;
  @Column('timestamp with time zone', { precision: 3 }) at: Date;
  @Column('text', { name: 'actor_kind' }) actorKind: ActorKind;
  @Column('text', { name: 'actor_id', nullable: true }) actorId: string | null;
  @Column('text', { name: 'actor_name' }) actorName: string;
  @Column('text') action: string;
  @Column('text', { name: 'target_type' }) targetType: string;
  @Column('text', { name: 'target_id' }) targetId: string;
  @Column('text', { name: 'target_name', nullable: true }) targetName: string | null;
  @Column('json') changes: object;
  @Column('text', { name: 'request_id' }) requestId: string;
  @Column('text', { nullable: true }) ip: string | null;
  @Column('bytea', { select: false }) hash: Buffer;
}
