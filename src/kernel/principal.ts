import type { Actor } from './actor';
import { FieldRefusedError } from './errors';
import type { ApiKeyId, OrganizationId, UserId } from './ids';

/** Where a key is meant to be used. */
export type Environment = 'LIVE' | 'TEST';

/** What a person is in their organization, as the identity provider says. */
export type Role = 'ADMIN' | 'MEMBER';

/** A caller who presented no credentials. */
export interface AnonymousPrincipal {
  readonly kind: 'ANONYMOUS';
}

/** What every caller with an organization has; the grounds on which it may grant to others. */
interface OrganizationPrincipal {
  readonly organizationId: OrganizationId;
  /** Effective scopes: full access is expanded to the whole catalogue. */
  readonly scopes: ReadonlySet<string>;
  /** A TEST caller grants only TEST keys. */
  readonly environment: Environment;
  /** The caller's own end; what it grants must not outlive it. null: never. */
  readonly expiresAt: Date | null;
  readonly actor: Actor;
}

/** A caller who presented a valid API key. */
export interface ApiKeyPrincipal extends OrganizationPrincipal {
  readonly kind: 'API_KEY';
  readonly apiKeyId: ApiKeyId;
}

/** A person who presented a valid token of the identity provider. */
export interface UserPrincipal extends OrganizationPrincipal {
  readonly kind: 'USER';
  readonly userId: UserId;
  readonly role: Role;
  /** The plan of the organization. */
  readonly plan: string;
  readonly name: string | null;
  readonly email: string | null;
}

/** Keyward's own command line, acting for one organization with every scope. */
export interface SystemPrincipal extends OrganizationPrincipal {
  readonly kind: 'SYSTEM';
}

/** Who is calling. */
export type Principal = AnonymousPrincipal | ApiKeyPrincipal | UserPrincipal | SystemPrincipal;

/** A caller that belongs to an organization. */
export type KnownPrincipal = Exclude<Principal, AnonymousPrincipal>;

/** One call: who makes it, and what the audit trail notes about where it came from. */
export interface Caller<Who extends Principal = KnownPrincipal> {
  readonly principal: Who;
  readonly requestId: string;
  readonly ip: string | null;
}

/** The caller without credentials. */
export const anonymous: AnonymousPrincipal = { kind: 'ANONYMOUS' };

/**
 * The caller's principal, known to belong to an organization.
 * @throws FieldRefusedError (UNAUTHENTICATED) for an anonymous caller
 */
export function requireKnown(principal: Principal): KnownPrincipal {
  if (principal.kind === 'ANONYMOUS') throw unauthenticated();
  return principal;
}

/** The refusal of a protected field to a caller without credentials. */
export function unauthenticated(): FieldRefusedError {
  return new FieldRefusedError(
    'UNAUTHENTICATED',
    'This needs credentials. Send an API key as "Authorization: Bearer <key>".',
  );
}

/**
 * The call, known to come from a member of an organization.
 * @throws FieldRefusedError (UNAUTHENTICATED) for an anonymous caller
 */
export function requireCaller(caller: Caller<Principal>): Caller {
  return { ...caller, principal: requireKnown(caller.principal) };
}
