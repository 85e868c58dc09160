import { SettingError } from './config-product';

/** Which claims of a token say what; each a member's name, or a dotted path to one. */
export interface ClaimNames {
  readonly organization: string;
  readonly organizationName: string;
  readonly role: string;
  readonly plan: string;
}

/** How people's tokens are judged and read. */
export interface OidcSettings {
  /** Exactly as the `iss` claim has it. */
  readonly issuer: string;
  readonly audience: string;
  /** undefined: the issuer's discovery document names it. */
  readonly jwksUrl: string | undefined;
  /** Asymmetric ones only. */
  readonly algorithms: readonly string[];
  readonly clockToleranceSeconds: number;
  readonly claims: ClaimNames;
}

// Symmetric algorithms are left out: whoever could check such a token could make one.
const asymmetricAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/**
 * Checks the settings of people.
 * @returns undefined when no issuer is set: people are off
 * @throws SettingError naming the one at fault
 */
export function readOidc(
  given: Omit<OidcSettings, 'jwksUrl'> & { readonly jwksUrl: string },
): OidcSettings | undefined {
  const { issuer, audience, jwksUrl, algorithms } = given;
  if (issuer === '') {
    if (audience === '' && jwksUrl === '') return undefined;
    throw new SettingError(
      'KEYWARD_OIDC_ISSUER',
      'is required with KEYWARD_OIDC_AUDIENCE and KEYWARD_OIDC_JWKS_URL; write it as the tokens have it in iss.',
    );
  }
  checkUrl('KEYWARD_OIDC_ISSUER', issuer);
  if (audience === '') {
    throw new SettingError(
      'KEYWARD_OIDC_AUDIENCE',
      'is required with KEYWARD_OIDC_ISSUER, or tokens for other services would be accepted.',
    );
  }
  if (jwksUrl !== '') checkUrl('KEYWARD_OIDC_JWKS_URL', jwksUrl);
  const unknown = algorithms.find((name) => !asymmetricAlgorithms.includes(name));
  if (unknown !== undefined || algorithms.length === 0) {
    throw new SettingError(
      'KEYWARD_OIDC_ALGORITHMS',
      `must be some of ${asymmetricAlgorithms.join(', ')}, not "${unknown ?? ''}".`,
    );
  }
  return { ...given, jwksUrl: jwksUrl === '' ? undefined : jwksUrl };
}

/**
 * Whether keys fetched from this URL can be believed: `https`, or `http` that does not leave the
 * machine. Source: OpenID Connect Discovery 1.0, section 7.
 */
export function isTrustworthyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  const local = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && local);
}

function checkUrl(name: string, text: string): void {
  // No identity provider is asked with them, and fetch refuses them; a password is not repeated.
  if (/^[^/]*\/\/[^/?#]*@/.test(text)) {
    throw new SettingError(name, 'must hold no user name and no password.');
  }
  if (isTrustworthyUrl(text)) return;
  throw new SettingError(
    name,
    `must be an https URL, not "${text}"; http is accepted for this machine only, such as http://localhost:8080.`,
  );
}
