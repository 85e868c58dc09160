import type { CredentialRefusal } from '../kernel/errors';
import { anonymous, type AnonymousPrincipal, type ApiKeyPrincipal } from '../kernel/principal';
import type { ScopeCatalogue } from '../kernel/scopes';
import type { PresentedKey, VerificationService } from '../keys/verification.service';
import type { Credentials } from './credentials';

/** What a request's credentials came to. */
export type Authentication =
  | { readonly kind: 'anonymous'; readonly principal: AnonymousPrincipal }
  | { readonly kind: 'key'; readonly principal: ApiKeyPrincipal; readonly key: PresentedKey }
  /** `key` is there only when the secret was right. */
  | {
      readonly kind: 'refused';
      readonly reason: CredentialRefusal;
      readonly key: PresentedKey | undefined;
    };

/** Turns credentials into a principal. */
export class Authenticator {
  constructor(
    private readonly verification: VerificationService,
    private readonly catalogue: ScopeCatalogue,
  ) {}

  /**
   * Judges credentials that are not ambiguous.
   * @throws UnavailableError when the database cannot be asked
   */
  async authenticate(
    credentials: Exclude<Credentials, { kind: 'ambiguous' }>,
  ): Promise<Authentication> {
    if (credentials.kind === 'none') return { kind: 'anonymous', principal: anonymous };
    if (credentials.kind === 'malformed') return refused('MALFORMED');
    const verdict = await this.verification.verify(credentials.token);
    if (verdict.outcome === 'VALID') {
      return { kind: 'key', key: verdict.key, principal: this.#toPrincipal(verdict.key) };
    }
    return refused(verdict.outcome, 'key' in verdict ? verdict.key : undefined);
  }

  #toPrincipal(key: PresentedKey): ApiKeyPrincipal {
    return {
      kind: 'API_KEY',
      apiKeyId: key.id,
      organizationId: key.organizationId,
      scopes: this.catalogue.effective(key.scopes),
      environment: key.environment,
      expiresAt: key.expiresAt,
      actor: { kind: 'API_KEY', id: key.id, name: key.name },
    };
  }
}

function refused(reason: CredentialRefusal, key?: PresentedKey): Authentication {
  return { kind: 'refused', reason, key };
}
