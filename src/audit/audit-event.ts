/** What happened, in the words of the audit trail. */
export type AuditAction =
  'api_key.created' | 'api_key.updated' | 'api_key.revoked' | 'organization.created';

/** A change about to be recorded; who made it, and from where, comes with the caller. */
export interface AuditEntry {
  readonly action: AuditAction;
  readonly targetType: 'ApiKey' | 'Organization';
  readonly targetId: string;
  /** The name the target had at that time. */
  readonly targetName: string;
  /** What changed, as `{ field: { from, to } }`; never a secret or a digest. */
  readonly changes: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
}
