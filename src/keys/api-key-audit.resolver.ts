import { Args, Ctx, Directive, FieldResolver, Resolver, Root } from 'type-graphql';
import { AuditEventConnectionType, toAuditEventType } from '../audit/audit-event.types';
import type { AuditService } from '../audit/audit.service';
import type { RequestContext } from '../graphql/context';
import { ForwardPageArgs, toConnection } from '../graphql/page.types';
import { mapPage } from '../kernel/pages';
import { requireKnown } from '../kernel/principal';
import type { ApiKey } from './api-key';
import { ApiKeyType } from './api-key.types';

/** A key's own audit trail, as a field of it. */
@Resolver(() => ApiKeyType)
export class ApiKeyAuditResolver {
  constructor(private readonly audit: AuditService) {}

  @Directive('@requiresScopes(scopes: [["audit_logs:read"]])')
  @FieldResolver(() => AuditEventConnectionType, {
    nullable: true,
    description:
      'What was done to this key, newest first; null for a key of any organization but your own.',
  })
  async auditEvents(
    @Ctx() { caller }: RequestContext,
    @Root() key: ApiKey,
    @Args(() => ForwardPageArgs) { first, after }: ForwardPageArgs,
  ): Promise<AuditEventConnectionType | null> {
    const { organizationId } = requireKnown(caller.principal);
    if (key.organizationId !== organizationId) return null;
    const filter = { targetId: key.id };
    const page = await this.audit.list(organizationId, { first, after, filter });
    return { ...toConnection(mapPage(page, toAuditEventType)), totalCount: page.totalCount };
  }
}
