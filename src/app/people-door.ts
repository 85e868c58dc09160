import type { PeopleDoor } from '../auth/authentication';
import { ProviderKeys } from '../auth/provider-keys';
import { TokenVerifier } from '../auth/token-verifier';
import type { OidcSettings } from '../config-oidc';
import { systemClock } from '../kernel/clock';
import type { Logger } from '../kernel/logger';
import type { Rooms } from './rooms';

/**
 * How people come in: by tokens of the identity provider, which is first asked for its keys when
 * the first person comes, so that Keyward starts without it.
 * @returns undefined when people are off
 */
export function createPeopleDoor(
  settings: OidcSettings | undefined,
  { people }: Pick<Rooms, 'people'>,
  logger: Logger,
): PeopleDoor | undefined {
  if (settings === undefined) return undefined;
  const keys = new ProviderKeys(settings, systemClock, logger);
  const tokens = new TokenVerifier(settings, keys, systemClock);
  return { tokens, people, claims: settings.claims };
}
