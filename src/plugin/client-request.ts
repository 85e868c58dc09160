import { parseCredentials, type Credentials } from '../kernel/credentials';

const longestText = 500;

/** A request as Node has it; what Apollo Server hands to `context` as `req`. */
interface NodeRequest {
  readonly rawHeaders: readonly string[];
}

/** A request as the Fetch standard has it; what GraphQL Yoga and Hive Gateway have as `request`. */
interface FetchRequest {
  readonly headers: { get(name: string): string | null };
}

/** What a GraphQL server tells of a client's request. */
export interface ClientRequest {
  readonly req?: NodeRequest | undefined;
  readonly request?: FetchRequest | undefined;
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
 * The request's credentials, read as Keyward reads them. Node's own headers come first: of a header
 * that was sent twice, Fetch's show one.
 * @throws Error when there is no request
 */
export function credentialsOf({ req, request }: ClientRequest): Credentials {
  if (req !== undefined) return parseCredentials(req.rawHeaders);
  if (request === undefined) throw new Error('The context is made without req and request.');
  const authorization = request.headers.get('authorization');
  return parseCredentials(authorization === null ? [] : ['authorization', authorization]);
}

/** What the request says of itself, as far as Keyward takes it: nobody can spoil a batch. */
export function circumstancesOf({ req, request, params }: ClientRequest): Circumstances {
  const operation: unknown = params?.operationName; // the client's own JSON
  const requestId = headerOf('x-request-id', req, request);
  const userAgent = headerOf('user-agent', req, request);
  return {
    ...(typeof operation === 'string' && { operation: operation.slice(0, longestText) }),
    ...(requestId !== undefined && /^[\w.-]{8,64}$/.test(requestId) && { requestId }),
    ...(userAgent !== undefined && { userAgent: userAgent.slice(0, longestText) }),
  };
}

function headerOf(
  name: string,
  req: NodeRequest | undefined,
  request: FetchRequest | undefined,
): string | undefined {
  if (req === undefined) return request?.headers.get(name) ?? undefined;
  const at = req.rawHeaders.findIndex(
    (each, index) => index % 2 === 0 && each.toLowerCase() === name,
  );
  return at === -1 ? undefined : req.rawHeaders[at + 1];
}
