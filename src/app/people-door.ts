import type { PeopleDoor } from '../auth/authentication';
import type { Config } from '../config';
import { systemClock } from '../kernel/clock';
import type { Logger } from '../kernel/logger';
import type { Rooms } from './rooms';

/**
 * How people come in: by tokens of the identity provider, which is first asked for its keys when
 * the first person comes, so that Keyward starts without it. What judges tokens is loaded only
 * when people are on.
 * @returns undefined when people are off
 */
export async function createPeopleDoor(
  { oidc: settings, product }: Pick<Config, 'oidc' | 'product'>,
  { people }: Pick<Rooms, 'people'>,
  logger: Logger,
): Promise<PeopleDoor | undefined> {
  if (settings === undefined) return undefined;
  const { ProviderKeys } = await import('../auth/provider-keys.js');
  const { TokenVerifier } = await import('../auth/token-verifier.js');
  const keys = new ProviderKeys(settings, systemClock, logger);
  const tokens = new TokenVerifier(settings, keys, systemClock);
  const { acceptImported } = product.keys;
  return { tokens, people, claims: settings.claims, acceptImported };
}
