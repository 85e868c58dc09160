import { PolicyError } from '../kernel/errors';
import type { Environment, KnownPrincipal } from '../kernel/principal';
import type { ScopeCatalogue } from '../kernel/scopes';

/** What a new key would be able to do, and until when. */
export interface Grant {
  readonly scopes: readonly string[];
  readonly environment: Environment;
  /** null: for ever. */
  readonly expiresAt: Date | null;
}

/**
 * Nobody can give what they do not have: at most the caller's scopes, its own end, and LIVE keys
 * only from a LIVE caller.
 * @throws PolicyError with rule GRANT_SCOPES, GRANT_ENVIRONMENT or GRANT_EXPIRY
 */
export function requireGrantable(
  caller: KnownPrincipal,
  grant: Grant,
  catalogue: ScopeCatalogue,
): void {
  const missing = catalogue.lacking(caller.scopes, grant.scopes);
  if (missing.length > 0) {
    const gone = missing.filter((scope) => !catalogue.has(scope));
    const wayOut = `The product no longer has ${gone.join(', ')}: replaceApiKey with other scopes.`;
    throw new PolicyError(
      'GRANT_SCOPES',
      `You can grant only scopes that you have yourself; you lack ${missing.join(', ')}.${gone.length > 0 ? ` ${wayOut}` : ''}`,
      { missingScopes: missing },
    );
  }
  if (caller.environment === 'TEST' && grant.environment === 'LIVE') {
    throw new PolicyError(
      'GRANT_ENVIRONMENT',
      'A TEST key can grant only TEST keys. Use a LIVE key, or ask for environment TEST.',
    );
  }
  const end = caller.expiresAt;
  if (end !== null && (grant.expiresAt === null || grant.expiresAt > end)) {
    throw new PolicyError(
      'GRANT_EXPIRY',
      `You can grant no longer than you last yourself: the new key must expire by ${end.toISOString()}.`,
      { latestExpiresAt: end.toISOString() },
    );
  }
}
