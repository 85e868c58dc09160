import type { AuditService } from '../audit/audit.service';
import { databaseNow, type Database, type Transaction } from '../database/database';
import { systemActor } from '../kernel/actor';
import { ConflictError, InputError, NotFoundError } from '../kernel/errors';
import { newOrganizationId, parseOrganizationId, type OrganizationId } from '../kernel/ids';
import type { Caller, SystemPrincipal } from '../kernel/principal';
import type { ScopeCatalogue } from '../kernel/scopes';
import { checkText } from '../kernel/text';
import { slugOf, type Organization } from './organization';
import type { OrganizationRepository } from './organization.repository';

/** A new organization, as the command line asks for it. */
export interface NewOrganization {
  /** 1 to 100 characters. */
  readonly name: string;
  /** Left out: made of the name. */
  readonly slug?: string | undefined;
  /** Left out: `free`. */
  readonly plan?: string | undefined;
}

/** Finds and creates organizations. */
export class OrganizationService {
  constructor(
    private readonly database: Database,
    private readonly repository: OrganizationRepository,
    private readonly audit: AuditService,
    private readonly catalogue: ScopeCatalogue,
  ) {}

  /** The organizations with these ids; unknown ids are left out. */
  async findByIds(ids: readonly OrganizationId[]): Promise<readonly Organization[]> {
    return this.database.read((tx) => this.repository.findByIds(tx, ids));
  }

  /**
   * The organization that a command names by id, slug or name.
   * @throws NotFoundError when there is none
   */
  async get(idOrName: string): Promise<Organization> {
    const found = await this.database.read((tx) => this.#find(tx, idOrName));
    if (found !== undefined) return found;
    throw new NotFoundError(
      `There is no organization "${idOrName}". Create it with: keyward organizations create --name "${idOrName}"`,
    );
  }

  /**
   * Creates an organization.
   * @throws InputError on a name without letters or digits, or out of bounds
   * @throws ConflictError when the slug is taken
   */
  async create(input: NewOrganization, requestId: string): Promise<Organization> {
    const organization = checkNew(input);
    const created = await this.database.transaction((tx) => this.#add(tx, organization, requestId));
    if (created) return organization;
    throw new ConflictError(`There is an organization "${organization.slug}" already.`);
  }

  /**
   * Creates an organization unless it is there. Of several processes at once, one creates it.
   * @returns the organization, and whether this call created it
   */
  async ensure(
    tx: Transaction,
    input: NewOrganization,
    requestId: string,
  ): Promise<{ readonly organization: Organization; readonly created: boolean }> {
    const organization = checkNew(input);
    if (await this.#add(tx, organization, requestId)) return { organization, created: true };
    const found = await this.repository.findBySlug(tx, organization.slug);
    if (found === undefined) throw new Error('an organization is both there and not');
    return { organization: found, created: false };
  }

  /**
   * Lets the people of the identity provider's organization into one that is there already.
   * @throws InputError when the id is empty or longer than 255 characters
   * @throws ConflictError when another organization is that of the external id
   */
  async link({ id, name }: Organization, externalId: string, requestId: string): Promise<void> {
    checkText(externalId, 'externalId', { min: 1, max: 255 });
    await this.database.transaction(async (tx) => {
      const linked = await this.repository.link(tx, id, externalId);
      if (linked === undefined) {
        throw new ConflictError(`Another organization is that of the external id "${externalId}".`);
      }
      if (linked.before === externalId) return;
      await this.audit.record(tx, this.systemCaller(id, requestId), await databaseNow(tx), {
        action: 'organization.linked',
        targetType: 'Organization',
        targetId: id,
        targetName: name,
        changes: { externalId: { from: linked.before, to: externalId } },
      });
    });
  }

  /** Keyward's own command line and start-up as a caller in an organization, with every scope. */
  systemCaller(organizationId: OrganizationId, requestId: string): Caller<SystemPrincipal> {
    const principal: SystemPrincipal = {
      kind: 'SYSTEM',
      organizationId,
      scopes: new Set(this.catalogue.names),
      environment: 'LIVE',
      expiresAt: null,
      actor: systemActor,
    };
    return { principal, requestId, ip: null };
  }

  async #find(tx: Transaction, idOrName: string): Promise<Organization | undefined> {
    const id = parseOrganizationId(idOrName);
    if (id !== undefined) return (await this.repository.findByIds(tx, [id]))[0];
    return this.repository.findBySlug(tx, slugOf(idOrName));
  }

  async #add(tx: Transaction, organization: Organization, requestId: string): Promise<boolean> {
    const now = await databaseNow(tx);
    if (!(await this.repository.addIfNew(tx, organization, now))) return false;
    await this.audit.record(tx, this.systemCaller(organization.id, requestId), now, {
      action: 'organization.created',
      targetType: 'Organization',
      targetId: organization.id,
      targetName: organization.name,
      changes: {
        name: { from: null, to: organization.name },
        slug: { from: null, to: organization.slug },
        plan: { from: null, to: organization.plan },
      },
    });
    return true;
  }
}

function checkNew({ name, slug, plan = 'free' }: NewOrganization): Organization {
  const trimmed = checkText(name.trim(), 'name', { min: 1, max: 100 });
  const chosen = slugOf(slug ?? trimmed);
  if (chosen === '') throw new InputError('name', 'name must hold a letter or a digit.');
  return {
    id: newOrganizationId(),
    slug: chosen,
    name: trimmed,
    plan: checkText(plan.trim(), 'plan', { min: 1, max: 100 }),
  };
}
