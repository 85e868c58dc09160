import { isIP } from 'node:net';
import { anonymousCaller, judgedBy, type KeywardContext } from './caller';
import { circumstancesOf, credentialsOf, type ClientRequest } from './client-request';
import { checkOptions, type KeywardOptions } from './options';
import { ambiguousCredentials, badCredentials, unavailable } from './refusal';
import { RemoteVerification } from './remote-verification';

// Nothing longer is a key (keys/imported-secret.ts), and a hundred of them fit into one request.
const longestKey = 512;

/**
 * Makes the `context` function of Apollo Server or GraphQL Yoga: it says who is calling, from the
 * request's Authorization header, and asks Keyward anew for every request.
 * @throws Error at once when an option cannot be used. The function itself refuses the request with
 * a GraphQLError: UNAUTHENTICATED (401) for a key that is not valid, UNAVAILABLE (503) when Keyward
 * cannot say within the deadline, BAD_USER_INPUT (400) for several Authorization headers.
 */
export function keywardContext(
  options: KeywardOptions,
): (source: ClientRequest) => Promise<KeywardContext> {
  const { clientIp: addressOf, warn = (reason) => process.emitWarning(reason) } = options;
  const keyward = new RemoteVerification({ ...checkOptions(options), warn });
  const judge = async (source: ClientRequest): Promise<KeywardContext> => {
    const credentials = credentialsOf(source);
    if (credentials.kind === 'none') return anonymousCaller();
    if (credentials.kind === 'ambiguous') throw ambiguousCredentials(source);
    if (credentials.kind === 'malformed' || credentials.token.length > longestKey) {
      throw badCredentials('MALFORMED', source);
    }
    const clientIp = addressOf?.(source);
    const verdict = await keyward.verify({
      key: credentials.token,
      ...circumstancesOf(source),
      ...(clientIp !== undefined && isIP(clientIp) !== 0 && { clientIp }),
    });
    if (verdict === undefined) throw unavailable(source);
    const { valid, outcome, apiKey, organization, scopes } = verdict;
    if (!valid || outcome !== 'VALID') throw badCredentials(outcome, source);
    if (apiKey === null || organization === null) throw unavailable(source);
    return { apiKey, organization, environment: apiKey.environment, scopes };
  };
  return async (source) => judgedBy(await judge(source), async () => judge(source));
}
