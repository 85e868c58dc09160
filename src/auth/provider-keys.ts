import { setTimeout as pause } from 'node:timers/promises';
import {
  createRemoteJWKSet,
  errors,
  type CryptoKey,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  type RemoteJWKSet,
} from 'jose';
import { isTrustworthyUrl, type OidcSettings } from '../config-oidc';
import type { Clock } from '../kernel/clock';
import { UnavailableError } from '../kernel/errors';
import type { Logger } from '../kernel/logger';

const timeoutMs = 5000;

/** How long a key that the provider has withdrawn may still be believed. */
const maxAgeMs = 10 * 60_000;

/** At most once in this time are the keys fetched because a token names one that is not known. */
const cooldownMs = 1000;

/**
 * The identity provider's public keys: fetched when first needed, kept for ten minutes, and fetched
 * anew when a token names a key that is not among them. Such a token waits for the next fetch, of
 * which there is at most one a second: a key that the provider has just begun to use is found at
 * once, and tokens with invented key ids cannot make Keyward flood the provider.
 */
export class ProviderKeys {
  #keys: Promise<RemoteJWKSet> | undefined;
  #refetch: Promise<void> | undefined;
  #fetchedAtMs = -Infinity;

  constructor(
    private readonly settings: Pick<OidcSettings, 'issuer' | 'jwksUrl'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * The key that a token says it is signed with.
   * @throws JWKSNoMatchingKey (of jose) when the provider has no such key
   * @throws UnavailableError when the provider cannot be asked, or the key that it publishes cannot
   * be used
   */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const keys = await this.#reach(() => this.#open());
    if (!keys.fresh) await this.#reach(() => this.#fetch(keys));
    try {
      return await keys(header, token).then(requireLength);
    } catch (error) {
      if (isAboutToken(error) && !(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#reach(() => this.#fetch(keys)); // it may have a new key, or have mended a bad one
    try {
      return await keys(header, token).then(requireLength);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      throw this.#unavailable(error, 'the identity provider publishes a key that cannot be used');
    }
  }

  async #open(): Promise<RemoteJWKSet> {
    this.#keys ??= this.#create();
    try {
      return await this.#keys;
    } catch (error) {
      this.#keys = undefined; // the next token asks again
      throw error;
    }
  }

  async #create(): Promise<RemoteJWKSet> {
    const url = this.settings.jwksUrl ?? (await discoverKeys(this.settings.issuer));
    return createRemoteJWKSet(new URL(url), {
      timeoutDuration: timeoutMs,
      cacheMaxAge: maxAgeMs,
      cooldownDuration: Infinity, // find() decides when a missing key is worth a fetch
    });
  }

  async #fetch(keys: RemoteJWKSet): Promise<void> {
    this.#refetch ??= this.#fetchInTurn(keys).finally(() => (this.#refetch = undefined));
    await this.#refetch;
  }

  async #fetchInTurn(keys: RemoteJWKSet): Promise<void> {
    const waitMs = this.#fetchedAtMs + cooldownMs - this.clock.monotonicMs();
    if (waitMs > 0) await pause(waitMs);
    try {
      await keys.reload();
    } catch (error) {
      // Nothing is lost: the provider may have moved its keys, and the next token discovers where to.
      if (!keys.fresh) this.#keys = undefined;
      throw error;
    } finally {
      this.#fetchedAtMs = this.clock.monotonicMs();
    }
  }

  async #reach<Result>(ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask();
    } catch (error) {
      throw this.#unavailable(error, 'the identity provider cannot be asked for its keys');
    }
  }

  #unavailable(error: unknown, what: string): UnavailableError {
    this.logger.warn({ err: error }, what);
    return new UnavailableError(error, 'the identity provider');
  }
}

/** Whether a key was not found for what the token says, and not for what the provider publishes. */
function isAboutToken(error: unknown): boolean {
  return error instanceof errors.JOSEError && !(error instanceof errors.JWKSInvalid);
}

/** jose refuses to verify with shorter keys. Source: RFC 7518, section 3.3. */
function requireLength(key: CryptoKey): CryptoKey {
  const { algorithm } = key;
  const bits = 'modulusLength' in algorithm ? Number(algorithm.modulusLength) : Infinity;
  if (bits < 2048) throw new Error(`an RSA key of ${bits} bits is too short: 2048 are needed`);
  return key;
}

/** Finds the keys' URL. Source: OpenID Connect Discovery 1.0, section 4. */
async function discoverKeys(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { accept: 'application/json' },
  });
  if (response.status !== 200) throw new Error(`${url} answers with ${response.status}`);
  const found: unknown = await response.json();
  if (typeof found !== 'object' || found === null) throw new Error(`${url} is no JSON object`);
  const { issuer: named, jwks_uri: keys }: Partial<Record<string, unknown>> = { ...found };
  if (named !== issuer) throw new Error(`${url} is of another issuer than KEYWARD_OIDC_ISSUER`);
  if (typeof keys === 'string' && isTrustworthyUrl(keys)) return keys;
  throw new Error(`${url} names no https URL as jwks_uri`);
}
