import { Ctx, Directive, FieldResolver, Query, Resolver } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import type { ScopeCatalogue } from '../kernel/scopes';
import { OrganizationType } from '../organizations/organization.types';
import { UserType } from '../organizations/user.types';
import type { ApiKey } from './api-key';
import type { ApiKeyLoader } from './api-key.loader';
import { ApiKeyType } from './api-key.types';
import { ScopeType } from './scope.types';
import { ViewerType } from './viewer.types';

/** Tells callers about themselves, and what there is to be granted. */
@Resolver(() => ViewerType)
export class ViewerResolver {
  constructor(
    private readonly catalogue: ScopeCatalogue,
    private readonly loadKey: ApiKeyLoader,
  ) {}

  @Query(() => ViewerType, { description: 'Who is asking; answers anybody.' })
  viewer(@Ctx() { caller: { principal } }: RequestContext): ViewerType {
    if (principal.kind === 'ANONYMOUS' || principal.kind === 'SYSTEM') {
      return { kind: 'ANONYMOUS', scopes: [] };
    }
    return { kind: principal.kind, scopes: [...principal.scopes] };
  }

  @Directive('@authenticated')
  @Query(() => [ScopeType], { nullable: true, description: 'The product’s scope catalogue.' })
  scopes(): readonly ScopeType[] {
    return this.catalogue.all;
  }

  @FieldResolver(() => ApiKeyType, {
    nullable: true,
    description: 'The key that asks; every key may read itself here.',
  })
  async apiKey(@Ctx() context: RequestContext): Promise<ApiKey | null> {
    const { principal } = context.caller;
    return principal.kind === 'API_KEY' ? this.loadKey(context).load(principal.apiKeyId) : null;
  }

  @FieldResolver(() => UserType, { nullable: true, description: 'The person who asks.' })
  user(@Ctx() { caller: { principal } }: RequestContext): UserType | null {
    if (principal.kind !== 'USER') return null;
    const { userId: id, name, email, role } = principal;
    return { id, name, email, role };
  }

  @FieldResolver(() => OrganizationType, {
    nullable: true,
    description: 'The organization the caller belongs to.',
  })
  organization(@Ctx() { caller: { principal } }: RequestContext): OrganizationType | null {
    return principal.kind === 'ANONYMOUS' ? null : { id: principal.organizationId };
  }
}
