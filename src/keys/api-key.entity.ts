import { Column, Entity, PrimaryColumn, VirtualColumn } from 'typeorm';
import type { ActorKind } from '../kernel/actor';
import type { Environment } from '../kernel/principal';
import type { ApiKeyStatus, RevocationReason } from './api-key';

/** A row of `api_keys`; `status`, `lastUsedAt` and `readAt` are computed when it is read. */
@Entity('api_keys')
export class ApiKeyEntity {
  @PrimaryColumn('uuid') id: string;
  @Column('uuid', { name: 'organization_id' }) organizationId: string;
  @Column('text') name: string;
  @Column('text', { nullable: true }) description: string | null;
  @Column('text') environment: Environment;
  @Column('text') prefix: string;
  @Column('text') redacted: string;
  @Column('text', { array: true }) scopes: string[];
  @Column('bytea', { select: false }) digest: Buffer;
  @Column('text', { name: 'pepper_id', select: false }) pepperId: string;
  @Column('timestamp with time zone', { name: 'created_at', precision: 3 }) createdAt: Date;
  @Column('text', { name: 'created_by_kind' }) createdByKind: ActorKind;
  @Column('text', { name: 'created_by_id', nullable: true }) createdById: string | null;
  @Column('text', { name: 'created_by_name' }) createdByName: string;
  @Column('timestamp with time zone', { name: 'expires_at', precision: 3, nullable: true })
  expiresAt: Date | null;
  @Column('text', { nullable: true }) owner: string | null;
  @Column('text', { nullable: true }) application: string | null;
  @Column('text', { name: 'usage_location', nullable: true }) usageLocation: string | null;
  @Column('text', { array: true }) tags: string[];
  @Column('json') metadata: object;
  @Column('timestamp with time zone', { name: 'revoked_at', precision: 3, nullable: true })
  revokedAt: Date | null;
  @Column('text', { name: 'revoked_by_kind', nullable: true }) revokedByKind: ActorKind | null;
  @Column('text', { name: 'revoked_by_id', nullable: true }) revokedById: string | null;
  @Column('text', { name: 'revoked_by_name', nullable: true }) revokedByName: string | null;
  @Column('text', { name: 'revocation_reason', nullable: true })
  revocationReason: RevocationReason | null;
  @Column('text', { name: 'revocation_note', nullable: true }) revocationNote: string | null;
  @Column('uuid', { name: 'predecessor_id', nullable: true }) predecessorId: string | null;
  @Column('uuid', { name: 'successor_id', nullable: true }) successorId: string | null;
  @Column('timestamp with time zone', { name: 'succeeded_at', precision: 3, nullable: true })
  succeededAt: Date | null;
  @Column('timestamp with time zone', { name: 'retires_at', precision: 3, nullable: true })
  retiresAt: Date | null;
  @Column('text', { name: 'retired_by_kind', nullable: true }) retiredByKind: ActorKind | null;
  @Column('text', { name: 'retired_by_id', nullable: true }) retiredById: string | null;
  @Column('text', { name: 'retired_by_name', nullable: true }) retiredByName: string | null;

  @VirtualColumn({ type: 'text', query: (alias) => `api_key_status(${alias})` })
  status: ApiKeyStatus;

  @VirtualColumn({
    type: 'timestamp with time zone',
    query: (alias) =>
      `SELECT nullif(used.last_used_at, '-infinity') FROM api_key_last_uses used
       WHERE used.api_key_id = ${alias}.id`,
  })
  lastUsedAt: Date | null;

  @VirtualColumn({
    type: 'timestamp with time zone',
    query: () => `date_trunc('milliseconds', statement_timestamp())`,
  })
  readAt: Date;
}

/** A row of `api_key_last_uses`: one for each key, made with it, `-infinity` until first used. */
@Entity('api_key_last_uses')
export class ApiKeyLastUseEntity {
  @PrimaryColumn('uuid', { name: 'api_key_id' }) apiKeyId: string;
  @Column('uuid', { name: 'organization_id' }) organizationId: string;
  @Column('timestamp with time zone', { name: 'last_used_at', precision: 3 }) lastUsedAt: Date;
}
