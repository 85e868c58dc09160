import type { AuditEntry } from '../audit/audit-event';
import type { AuditService } from '../audit/audit.service';
import type { Product } from '../config-product';
import { databaseNow, type Database, type Transaction } from '../database/database';
import { newOrganizationId, newUserId } from '../kernel/ids';
import type { Caller, UserPrincipal } from '../kernel/principal';
import { effectiveManager, personScopes } from './key-policy';
import { slugOf } from './organization';
import type { OrganizationService } from './organization.service';
import {
  organizationNews,
  personNews,
  type KnownOrganization,
  type KnownPerson,
  type PersonClaims,
} from './person';
import type { PersonRepository } from './person.repository';

/** Where a request came from, for the audit trail. */
export type Origin = Pick<Caller, 'requestId' | 'ip'>;

/** What knowing people needs of others. */
export interface PeopleParts {
  readonly database: Database;
  readonly repository: PersonRepository;
  readonly organizations: OrganizationService;
  readonly audit: AuditService;
  readonly product: Pick<Product, 'keys' | 'policy' | 'catalogue' | 'services'>;
}

/** What is recorded once everything is written; the person's own doing, or the provider's word. */
interface News extends Pick<AuditEntry, 'action' | 'changes'> {
  readonly about: 'organization' | 'person';
  readonly by: 'person' | 'system';
}

const longestSlug = 63;

/** Knows the people that the identity provider sends. */
export class PeopleService {
  constructor(private readonly parts: PeopleParts) {}

  /**
   * The person of a valid token. On first sight they and their organization are added; what the
   * token says anew of names, role and plan is written; nothing is written otherwise, but once a day
   * that they were seen. Of tokens that differ the one issued last counts, whichever comes last: an
   * old token brings neither an old role nor an old plan back. Each change has its audit event in
   * its transaction, and of many requests at once, on any replica, one makes it.
   */
  async identify(claims: PersonClaims, origin: Origin): Promise<UserPrincipal> {
    const known = await this.parts.repository.find(claims);
    if (known !== undefined && 'userId' in known && isCurrent(known, claims)) {
      return this.#toPrincipal(known);
    }
    return this.#toPrincipal(
      await this.parts.database.transaction(async (tx) => this.#take(tx, claims, origin)),
    );
  }

  async #take(tx: Transaction, claims: PersonClaims, origin: Origin): Promise<KnownPerson> {
    const { repository } = this.parts;
    const now = await databaseNow(tx);
    const news = [
      ...(await this.#takeOrganization(tx, claims, now)),
      ...(await this.#takePerson(tx, claims, now)),
    ];
    const person = await repository.findIn(tx, claims);
    if (person === undefined || !('userId' in person)) throw new Error('a person did not arrive');
    for (const each of news) await this.#record(tx, person, each, origin, now);
    return person;
  }

  async #takeOrganization(
    tx: Transaction,
    claims: PersonClaims,
    now: Date,
  ): Promise<readonly News[]> {
    const { repository } = this.parts;
    if (!(await repository.lockOrganization(tx, claims))) {
      const added = await this.#addOrganization(tx, claims, now);
      if (added !== undefined) return [added];
    }
    const known = await repository.findIn(tx, claims);
    const heard = known && organizationNews(known, claims);
    if (known === undefined || heard === undefined) return [];
    await repository.updateOrganization(tx, known.organizationId, heard, claims, now);
    return organizationEvents(known, heard);
  }

  // Undefined: another transaction has added it meanwhile, and it is locked now.
  async #addOrganization(
    tx: Transaction,
    claims: PersonClaims,
    now: Date,
  ): Promise<News | undefined> {
    const { repository } = this.parts;
    const id = newOrganizationId();
    const name = claims.organizationName ?? claims.externalId;
    const told = { name, plan: claims.plan ?? 'free' };
    const slug = slugOf(name) || 'organization';
    const suffix = `-${id.slice(-8)}`;
    for (const free of [slug, slug.slice(0, longestSlug - suffix.length) + suffix]) {
      // Names are chosen by customers, and none may choose that of a service.
      if (this.parts.product.services.includes(free)) continue;
      if (await repository.addOrganization(tx, { id, slug: free, ...told }, claims, now)) {
        const set = { ...told, externalId: claims.externalId }; // a slug would tell of others' names
        return { ...created(set), action: 'organization.created', about: 'organization' };
      }
      if (await repository.lockOrganization(tx, claims)) return undefined;
    }
    throw new Error('an organization finds no free slug');
  }

  async #takePerson(tx: Transaction, claims: PersonClaims, now: Date): Promise<readonly News[]> {
    const { repository } = this.parts;
    const known = await repository.findIn(tx, claims);
    if (known === undefined) throw new Error('an organization did not arrive');
    if (!('userId' in known)) {
      await repository.addPerson(tx, known.organizationId, newUserId(), claims, now);
      const { name, role } = claims;
      return [{ ...created({ name, role }), action: 'user.created', about: 'person' }];
    }
    if (!known.seenToday) await repository.touch(tx, known, now);
    const heard = personNews(known, claims);
    if (heard === undefined) return [];
    await repository.updatePerson(tx, known, heard, claims, now);
    if (heard.role === known.role) return [];
    const changes = { role: { from: known.role, to: heard.role } };
    return [{ changes, action: 'user.role_changed', about: 'person', by: 'system' }];
  }

  async #record(
    tx: Transaction,
    person: KnownPerson,
    { about, by, action, changes }: News,
    origin: Origin,
    now: Date,
  ): Promise<void> {
    const { organizations, audit } = this.parts;
    const { organizationId, userId } = person;
    const principal =
      by === 'person'
        ? this.#toPrincipal(person)
        : organizations.systemCaller(organizationId, origin.requestId).principal;
    const target =
      about === 'person'
        ? { targetType: 'User' as const, targetId: userId, targetName: nameOf(person) }
        : {
            targetType: 'Organization' as const,
            targetId: organizationId,
            targetName: person.organizationName,
          };
    await audit.record(tx, { ...origin, principal }, now, { ...target, action, changes });
  }

  #toPrincipal(person: KnownPerson): UserPrincipal {
    const { organizationId, userId, role, plan, name, email } = person;
    const { product } = this.parts;
    return {
      kind: 'USER',
      ...{ organizationId, userId, role, plan, name, email },
      scopes: personScopes(role, effectiveManager(product, person), product),
      environment: 'LIVE',
      expiresAt: null,
      actor: { kind: 'USER', id: userId, name: nameOf(person) },
    };
  }
}

function isCurrent(known: KnownPerson, claims: PersonClaims): boolean {
  const nothingNew = organizationNews(known, claims) ?? personNews(known, claims);
  return nothingNew === undefined && known.seenToday;
}

function nameOf({ name, email, userId }: KnownPerson): string {
  return name ?? email ?? userId;
}

function created(set: Readonly<Record<string, unknown>>): Pick<News, 'changes' | 'by'> {
  const given = Object.entries(set).filter(([, to]) => to !== null);
  const changes = Object.fromEntries(given.map(([member, to]) => [member, { from: null, to }]));
  return { changes, by: 'person' };
}

function organizationEvents(
  { organizationName, plan }: KnownOrganization,
  heard: Pick<KnownOrganization, 'organizationName' | 'plan'>,
): readonly News[] {
  const renamed = { name: { from: organizationName, to: heard.organizationName } };
  const moved = { plan: { from: plan, to: heard.plan } };
  const common = { about: 'organization', by: 'system' } as const;
  return [
    ...(heard.organizationName === organizationName
      ? []
      : [{ ...common, action: 'organization.renamed' as const, changes: renamed }]),
    ...(heard.plan === plan
      ? []
      : [{ ...common, action: 'organization.plan_changed' as const, changes: moved }]),
  ];
}
