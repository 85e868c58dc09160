import type { OidcSettings } from '../config-oidc';
import type { CredentialRefusal } from '../kernel/errors';
import {
  anonymous,
  type AnonymousPrincipal,
  type ApiKeyPrincipal,
  type UserPrincipal,
} from '../kernel/principal';
import type { ScopeCatalogue } from '../kernel/scopes';
import type { PresentedKey, VerificationService } from '../keys/verification.service';
import type { Origin, PeopleService } from '../organizations/people.service';
import type { Credentials } from '../kernel/credentials';
import { readPersonClaims } from './token-claims';
import type { TokenVerifier } from './token-verifier';

/** What a request's credentials came to. */
export type Authentication =
  | { readonly kind: 'anonymous'; readonly principal: AnonymousPrincipal }
  | { readonly kind: 'key'; readonly principal: ApiKeyPrincipal; readonly key: PresentedKey }
  | { readonly kind: 'person'; readonly principal: UserPrincipal }
  /** `key` is there only when the secret was right. */
  | {
      readonly kind: 'refused';
      readonly reason: CredentialRefusal;
      readonly key: PresentedKey | undefined;
      /** What to tell the caller; undefined: what is told about keys. */
      readonly message: string | undefined;
    };

/** How people are recognized. */
export interface PeopleDoor {
  readonly tokens: TokenVerifier;
  readonly people: PeopleService;
  readonly claims: OidcSettings['claims'];
}

/** What turning credentials into principals needs of others. */
export interface AuthenticatorParts {
  readonly verification: VerificationService;
  readonly catalogue: ScopeCatalogue;
  /** undefined: people are off, and whatever is presented is judged as a key. */
  readonly people: PeopleDoor | undefined;
}

/** Turns credentials into a principal. */
export class Authenticator {
  constructor(private readonly parts: AuthenticatorParts) {}

  /**
   * Judges credentials that are not ambiguous.
   * @throws UnavailableError when the database or the identity provider cannot be asked
   */
  async authenticate(
    credentials: Exclude<Credentials, { kind: 'ambiguous' }>,
    origin: Origin,
  ): Promise<Authentication> {
    const { people } = this.parts;
    if (credentials.kind === 'none') return { kind: 'anonymous', principal: anonymous };
    if (credentials.kind === 'malformed') return refused('MALFORMED');
    const { kind, token } = credentials;
    if (kind !== 'token' || people === undefined) return this.#judge(token);
    const person = await recognize(people, token, origin);
    if (person.kind !== 'refused' || person.reason === 'EXPIRED') return person;
    const key = await this.#judge(token); // keys that were issued elsewhere may look like tokens
    return key.kind === 'refused' && key.key === undefined ? person : key;
  }

  async #judge(secret: string): Promise<Authentication> {
    const verdict = await this.parts.verification.verify(secret);
    if (verdict.outcome === 'VALID') {
      return { kind: 'key', key: verdict.key, principal: this.#toPrincipal(verdict.key) };
    }
    return refused(verdict.outcome, { key: 'key' in verdict ? verdict.key : undefined });
  }

  #toPrincipal(key: PresentedKey): ApiKeyPrincipal {
    return {
      kind: 'API_KEY',
      apiKeyId: key.id,
      organizationId: key.organizationId,
      scopes: this.parts.catalogue.effective(key.scopes),
      environment: key.environment,
      expiresAt: key.expiresAt,
      actor: { kind: 'API_KEY', id: key.id, name: key.name },
    };
  }
}

async function recognize(
  { tokens, people, claims: names }: PeopleDoor,
  token: string,
  origin: Origin,
): Promise<Authentication> {
  const verdict = await tokens.verify(token);
  if (verdict.outcome !== 'VALID') {
    return refused(verdict.outcome, { message: tokenMessages[verdict.outcome] });
  }
  const claims = readPersonClaims(verdict.claims, names);
  if (claims === undefined) return refused('MALFORMED', { message: noOrganization });
  return { kind: 'person', principal: await people.identify(claims, origin) };
}

const tokenMessages = {
  MALFORMED: 'The token is not valid. Sign in again to get a new one.',
  UNKNOWN: 'The token is not valid. Sign in again to get a new one.',
  EXPIRED: 'The token has expired. Sign in again to get a new one.',
} as const;

const noOrganization =
  'The token does not say who you are in which organization. Sign in to an organization.';

function refused(
  reason: CredentialRefusal,
  { key, message }: { readonly key?: PresentedKey | undefined; readonly message?: string } = {},
): Authentication {
  return { kind: 'refused', reason, key, message };
}
