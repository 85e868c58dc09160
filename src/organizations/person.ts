import type { OrganizationId, UserId } from '../kernel/ids';
import type { Role } from '../kernel/principal';

/** What a valid token says about the person who presents it. */
export interface PersonClaims {
  /** The identity provider's id of the person. */
  readonly subject: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly role: Role;
  /** The identity provider's id of the organization. */
  readonly externalId: string;
  readonly organizationName: string | null;
  readonly plan: string | null;
  /** When the token was issued: of two that differ, the newer one is right. */
  readonly issuedAt: Date;
}

/** An organization that the identity provider knows. */
export interface KnownOrganization {
  readonly organizationId: OrganizationId;
  readonly organizationName: string;
  readonly plan: string;
  /** What its own policy says; null: what the product says. */
  readonly managedBy: Role | null;
  /** Whether no newer token has changed it. */
  readonly organizationOpen: boolean;
}

/** A person as Keyward knows them. */
export interface KnownPerson extends KnownOrganization {
  readonly userId: UserId;
  readonly name: string | null;
  readonly email: string | null;
  readonly role: Role;
  /** Whether no newer token has changed them. */
  readonly personOpen: boolean;
  /** Whether they were seen within the last day. */
  readonly seenToday: boolean;
}

/** What a token says about an organization that Keyward does not know yet; undefined: nothing new. */
export function organizationNews(
  known: KnownOrganization,
  claims: PersonClaims,
): Pick<KnownOrganization, 'organizationName' | 'plan'> | undefined {
  const organizationName = claims.organizationName ?? known.organizationName;
  const plan = claims.plan ?? known.plan;
  const same = organizationName === known.organizationName && plan === known.plan;
  return same || !known.organizationOpen ? undefined : { organizationName, plan };
}

/** What a token says about a person that Keyward does not know yet; undefined: nothing new. */
export function personNews(
  known: KnownPerson,
  claims: PersonClaims,
): Pick<KnownPerson, 'name' | 'email' | 'role'> | undefined {
  const name = claims.name ?? known.name;
  const email = claims.email ?? known.email;
  const { role } = claims;
  const same = name === known.name && email === known.email && role === known.role;
  return same || !known.personOpen ? undefined : { name, email, role };
}
