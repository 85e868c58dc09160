import type { Actor } from '../kernel/actor';
import { InputError } from '../kernel/errors';
import type { OrganizationId } from '../kernel/ids';
import { checkText } from '../kernel/text';

/** What happened, in the words of the audit trail. */
type AuditAction =
  | 'api_key.created'
  | 'api_key.imported'
  | 'api_key.updated'
  | 'api_key.rotated'
  | 'api_key.replaced'
  | 'api_key.revoked'
  | 'organization.created'
  | 'organization.linked'
  | 'organization.plan_changed'
  | 'organization.policy_updated'
  | 'organization.renamed'
  | 'organization.verifier_admitted'
  | 'user.created'
  | 'user.role_changed';

/** What changed, as `{ field: { from, to } }`; never a secret or a digest. */
export type AuditChanges = Readonly<
  Record<string, { readonly from: unknown; readonly to: unknown }>
>;

/** A change about to be recorded; who made it, and from where, comes with the caller. */
export interface AuditEntry {
  readonly action: AuditAction;
  readonly targetType: 'ApiKey' | 'Organization' | 'User';
  readonly targetId: string;
  /** The name the target had at that time. */
  readonly targetName: string;
  readonly changes: AuditChanges;
}

/** A recorded change. */
export interface AuditEvent {
  readonly id: string;
  readonly organizationId: OrganizationId;
  /** The event's place in its organization's chain: 1, 2, 3 and so on. */
  readonly sequence: number;
  readonly at: Date;
  readonly actor: Actor;
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly targetName: string | null;
  readonly changes: object;
  readonly requestId: string;
  readonly ip: string | null;
}

/** Which events: those that meet every member given. */
export interface AuditEventFilter {
  /** From this instant on. */
  readonly from?: Date | null | undefined;
  /** Before this instant. */
  readonly to?: Date | null | undefined;
  /** Any of these. */
  readonly actions?: readonly string[] | null | undefined;
  readonly actorId?: string | null | undefined;
  readonly targetId?: string | null | undefined;
  readonly requestId?: string | null | undefined;
}

/**
 * Passes a filter on, checked.
 * @throws InputError naming the member: text with control characters or over 100 characters, or a
 * list of actions that is empty or longer than 50
 */
export function checkAuditFilter(filter: AuditEventFilter): AuditEventFilter {
  for (const name of ['actorId', 'targetId', 'requestId'] as const) {
    const text = filter[name];
    if (text != null) checkText(text, `filter.${name}`, { max: 100 });
  }
  const { actions } = filter;
  if (actions?.length === 0 || (actions?.length ?? 0) > 50) {
    throw new InputError('filter.actions', 'filter.actions takes 1 to 50 actions.');
  }
  actions?.forEach((action, index) =>
    checkText(action, `filter.actions.${String(index)}`, { max: 100 }),
  );
  return filter;
}
