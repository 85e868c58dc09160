import { Arg, Ctx, Directive, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import { requireCaller, requireKnown } from '../kernel/principal';
import type { KeyPolicyLoader } from './key-policy.loader';
import type { KeyPolicyService } from './key-policy.service';
import {
  ApiKeyPolicyType,
  UpdateOrganizationPolicyInput,
  UpdateOrganizationPolicyPayload,
} from './key-policy.types';
import { OrganizationType } from './organization.types';

/** Shows and changes what counts for an organization's keys. */
@Resolver(() => OrganizationType)
export class KeyPolicyResolver {
  constructor(
    private readonly policies: KeyPolicyService,
    private readonly loadPolicy: KeyPolicyLoader,
  ) {}

  @Directive('@requiresScopes(scopes: [["api_keys:read"]])')
  @FieldResolver(() => ApiKeyPolicyType, {
    nullable: true,
    description: 'What counts for its keys.',
  })
  async apiKeyPolicy(
    @Ctx() context: RequestContext,
    @Root() { id }: OrganizationType,
  ): Promise<ApiKeyPolicyType | null> {
    const { organizationId } = requireKnown(context.caller.principal);
    return id === organizationId ? this.loadPolicy(context).load(id) : null;
  }

  @Directive('@requiresScopes(scopes: [["organization:write"]])')
  @Mutation(() => UpdateOrganizationPolicyPayload, {
    nullable: true,
    description: 'Makes your organization’s policy stricter, or takes that back.',
  })
  async updateOrganizationPolicy(
    @Ctx() context: RequestContext,
    @Arg('input', { description: 'What to change.' }) input: UpdateOrganizationPolicyInput,
  ): Promise<UpdateOrganizationPolicyPayload> {
    const caller = requireCaller(context.caller);
    const { organizationId } = caller.principal;
    await this.policies.update(caller, input);
    this.loadPolicy(context).clear(organizationId); // an earlier mutation may have shown it
    return { organization: { id: organizationId } };
  }
}
