import { Args, Ctx, Directive, Query, Resolver } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { toConnection } from '../graphql/page.types';
import { mapPage } from '../kernel/pages';
import { requireKnown } from '../kernel/principal';
import {
  AuditEventConnectionType,
  AuditEventListArgs,
  toAuditEventType,
} from './audit-event.types';
import type { AuditService } from './audit.service';

/** Reads the audit trail. */
@Resolver()
export class AuditEventResolver {
  constructor(private readonly audit: AuditService) {}

  @Directive('@requiresScopes(scopes: [["audit_logs:read"]])')
  @Query(() => AuditEventConnectionType, {
    nullable: true,
    description: 'What was changed in your organization, newest first.',
  })
  async auditEvents(
    @Ctx() { caller }: RequestContext,
    @Args(() => AuditEventListArgs) args: AuditEventListArgs,
  ): Promise<AuditEventConnectionType> {
    const page = await this.audit.list(requireKnown(caller.principal).organizationId, args);
    return { ...toConnection(mapPage(page, toAuditEventType)), totalCount: page.totalCount };
  }
}
