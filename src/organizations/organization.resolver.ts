import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../graphql/context';
import type { Organization } from './organization';
import type { OrganizationLoader } from './organization.loader';
import { OrganizationType } from './organization.types';

/** The fields of an organization; one query serves all organizations of a request. */
@Resolver(() => OrganizationType)
export class OrganizationResolver {
  constructor(private readonly loadOrganization: OrganizationLoader) {}

  @FieldResolver(() => String, { description: 'What people call it.' })
  async name(@Ctx() context: RequestContext, @Root() root: OrganizationType): Promise<string> {
    return (await this.#load(context, root)).name;
  }

  @FieldResolver(() => String, { description: 'The plan it is on, as the product names it.' })
  async plan(@Ctx() context: RequestContext, @Root() root: OrganizationType): Promise<string> {
    return (await this.#load(context, root)).plan;
  }

  async #load(context: RequestContext, { id }: OrganizationType): Promise<Organization> {
    const organization = await this.loadOrganization(context).load(id);
    if (organization === null) throw new Error('an organization that is referred to is not there');
    return organization;
  }
}
