import { errors, jwtVerify, type JWTPayload } from 'jose';
import type { OidcSettings } from '../config-oidc';
import type { Clock } from '../kernel/clock';
import type { ProviderKeys } from './provider-keys';

/** What a token came to. EXPIRED only when everything else about it was right. */
export type TokenVerdict =
  | { readonly outcome: 'VALID'; readonly claims: JWTPayload }
  | { readonly outcome: 'MALFORMED' | 'UNKNOWN' | 'EXPIRED' };

// Other types of token, such as logout+jwt, are signed with the same keys but say something else.
// Source: RFC 8725, section 3.11; RFC 9068, section 2.1.
const acceptedTypes = new Set([
  undefined,
  'jwt',
  'at+jwt',
  'application/jwt',
  'application/at+jwt',
]);

/** Judges people's tokens: JSON Web Tokens, signed by the identity provider. */
export class TokenVerifier {
  constructor(
    private readonly settings: OidcSettings,
    private readonly keys: Pick<ProviderKeys, 'find'>,
    private readonly clock: Clock,
  ) {}

  /**
   * Judges a token by its signature, issuer, audience, type and times. The key comes from the
   * provider alone: what a token brings along (`jwk`, `jku`, `x5c`) is not looked at, and its `alg`
   * must be on the allow-list.
   * @throws UnavailableError when the provider's keys cannot be fetched
   */
  async verify(token: string): Promise<TokenVerdict> {
    const { issuer, audience, algorithms, clockToleranceSeconds } = this.settings;
    try {
      const { payload, protectedHeader } = await jwtVerify(
        token,
        async (header, jws) => this.keys.find(header, jws),
        {
          issuer,
          audience,
          algorithms: [...algorithms],
          clockTolerance: clockToleranceSeconds,
          currentDate: this.clock.now(),
          requiredClaims: ['exp'],
        },
      );
      if (!acceptedTypes.has(protectedHeader.typ?.toLowerCase())) return { outcome: 'UNKNOWN' };
      return { outcome: 'VALID', claims: payload };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { outcome: 'EXPIRED' };
      if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
        return { outcome: 'MALFORMED' };
      }
      if (error instanceof errors.JOSEError) return { outcome: 'UNKNOWN' };
      throw error;
    }
  }
}
