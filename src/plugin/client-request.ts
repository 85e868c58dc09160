import { parseCredentials, type Credentials } from '../kernel/credentials';

const longestText = 500;

/** What a GraphQL server tells of a client's request. */
export interface ClientRequest {
  /** As Node has it; what Apollo Server hands to `context`. */
  readonly req?: { readonly rawHeaders?: readonly string[] } | undefined;
  /** As the Fetch standard has it; what GraphQL Yoga and Hive Gateway hand to theirs. */
  readonly request?: { readonly headers: { get(name: string): string | null } } | undefined;
  /** The GraphQL request, where the server has read it already. */
  readonly params?: { readonly operationName?: string | null | undefined } | undefined;
}

/** What is told to Keyward of a request, beside its credentials. */
export interface Circumstances {
  readonly operation?: string;
  readonly requestId?: string;
  readonly userAgent?: string;
}

/**
 * The request's credentials, read as Keyward reads them.
 * @throws Error when there is no request
 */
export function credentialsOf(source: ClientRequest): Credentials {
  return parseCredentials(rawHeadersOf(source));
}

/** What the request says of itself, as far as Keyward takes it: nobody can spoil a batch. */
export function circumstancesOf(source: ClientRequest): Circumstances {
  const operation: unknown = source.params?.operationName; // the client's own JSON
  const requestId = headerOf(source, 'x-request-id');
  const userAgent = headerOf(source, 'user-agent');
  return {
    ...(typeof operation === 'string' && { operation: operation.slice(0, longestText) }),
    ...(requestId !== undefined && /^[\w.-]{8,64}$/.test(requestId) && { requestId }),
    ...(userAgent !== undefined && { userAgent: userAgent.slice(0, longestText) }),
  };
}

function headerOf(source: ClientRequest, name: string): string | undefined {
  const headers = rawHeadersOf(source);
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name);
  return at === -1 ? undefined : headers[at + 1];
}

// Node's own headers come first: of a header that was sent twice, Fetch's may show one.
function rawHeadersOf({ req, request }: ClientRequest): readonly string[] {
  if (req?.rawHeaders !== undefined) return req.rawHeaders;
  if (request === undefined) throw new Error('The context is made without req and request.');
  return ['authorization', 'x-request-id', 'user-agent'].flatMap((name) => {
    const value = request.headers.get(name);
    return value === null ? [] : [name, value];
  });
}
