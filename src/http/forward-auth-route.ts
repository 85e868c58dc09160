import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { newJournal, type RequestJournal } from '../graphql/context';
import { requireScopes } from '../graphql/scope-directive';
import { FieldRefusedError, InputError } from '../kernel/errors';
import { requireKnown, type Environment, type KnownPrincipal } from '../kernel/principal';
import { recordable } from '../kernel/redaction';
import type { ScopeCatalogue } from '../kernel/scopes';
import { checkText } from '../kernel/text';
import { callerOf } from './client';
import { authenticate, type GraphqlRouteParts } from './graphql-route';

/** What the endpoint needs of others. */
export interface ForwardAuthParts extends Pick<GraphqlRouteParts, 'authenticator'> {
  readonly catalogue: ScopeCatalogue;
}

/** What a proxy asks for, in the query of the URL that its operator wrote. */
interface Demands {
  /** All of these; empty: none. */
  readonly scopes: readonly string[];
  readonly environment: Environment | undefined;
}

const prefix = '/verify';
const known: ReadonlySet<string> = new Set(['scope', 'environment', 'service']);

/**
 * Serves `/verify` to proxies (NGINX's `auth_request`, Traefik's ForwardAuth, Envoy's `ext_authz`):
 * judges the client's own Authorization header, and answers with 200 and who it is, or with a
 * refusal. It does so before a body is read, which is none of its business, and for any method:
 * Envoy keeps the client's, and puts its path behind ours.
 */
export function serveForwardAuth(app: FastifyInstance, parts: ForwardAuthParts): void {
  for (const url of [prefix, `${prefix}/*`]) {
    app.all(url, {
      config: { cors: false }, // a proxy would take the answer to a preflight for a yes
      onRequest: async (request, reply) => judgeForwarded(request, reply, parts),
      handler: () => {
        throw new Error('a forwarded request was not judged');
      },
    });
  }
}

async function judgeForwarded(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: ForwardAuthParts,
): Promise<FastifyReply> {
  const query = operatorsQuery(request);
  const journal = newJournal(operationOf(request));
  const service = query.get('service') ?? 'forward-auth';
  journal.service = recordable(service);
  const principal = await authenticate(request, reply, journal, parts);
  const demands = readDemands(query, parts.catalogue);
  checkText(service, 'service', { min: 1, max: 100 });
  const caller = callerOf(principal, request);
  requireScopes({ caller, journal }, []);
  const client = requireKnown(principal);
  requireEnvironment(client, demands.environment, journal);
  requireScopes({ caller, journal }, demands.scopes.length === 0 ? [] : [[demands.scopes]]);
  return reply.code(200).headers(identityOf(client)).send();
}

// What does not apply is there and empty: a proxy that copies what it gets would else leave in
// place what its client sent under that name.
function identityOf(principal: KnownPrincipal): Readonly<Record<string, string>> {
  const { organizationId, environment, scopes } = principal;
  return {
    'keyward-key-id': principal.kind === 'API_KEY' ? principal.apiKeyId : '',
    'keyward-user-id': principal.kind === 'USER' ? principal.userId : '',
    'keyward-organization-id': organizationId,
    'keyward-environment': environment,
    'keyward-scopes': [...scopes].join(' '),
  };
}

function requireEnvironment(
  { environment }: KnownPrincipal,
  wanted: Environment | undefined,
  journal: RequestJournal,
): void {
  if (wanted === undefined || wanted === environment) return;
  journal.refused = 'WRONG_ENVIRONMENT';
  throw new FieldRefusedError(
    'WRONG_ENVIRONMENT',
    `This needs a key of the environment ${wanted}.`,
  );
}

/**
 * The query of `/verify`. Behind a path of the client's the query is the client's, too, and counts
 * for nothing; behind a mere slash it may be either's: what it demands counts, and the rest may be.
 */
function operatorsQuery(request: FastifyRequest): URLSearchParams {
  const behind = pathBehind(request);
  const query = new URLSearchParams(behind.length > 1 ? '' : /\?(.*)$/s.exec(request.url)?.[1]);
  if (behind === '') return query;
  return new URLSearchParams([...query].filter(([name]) => known.has(name)));
}

function readDemands(query: URLSearchParams, catalogue: ScopeCatalogue): Demands {
  if (![...query.keys()].every((name) => known.has(name))) {
    throw new InputError('query', 'The query of /verify takes scope, environment and service.');
  }
  for (const name of ['environment', 'service']) {
    if (query.getAll(name).length > 1) throw new InputError(name, `${name} may be given once.`);
  }
  const scopes = query.getAll('scope').flatMap((text) => text.split(' ').filter(Boolean));
  const empty = query.has('scope') && scopes.length === 0;
  if (empty || !scopes.every((scope) => catalogue.has(scope))) {
    throw new InputError('scope', "scope must name scopes of the product's catalogue.");
  }
  const environment = query.get('environment') ?? undefined;
  if (environment !== undefined && environment !== 'LIVE' && environment !== 'TEST') {
    throw new InputError('environment', 'environment must be LIVE or TEST.');
  }
  return { scopes, environment };
}

/**
 * What the client asked for: the path behind ours (Envoy), or what a trusted proxy says, in the
 * headers that it overwrites (Traefik) or that its operator sets (NGINX). Without its query, where
 * others may have put what Keyward must not keep.
 */
function operationOf(request: FastifyRequest): string | null {
  const behind = pathBehind(request);
  if (behind.length > 1) return recordable(`${request.method} ${behind}`);
  // There is more than one address only when the peer's X-Forwarded-For is believed.
  if ((request.ips?.length ?? 0) < 2) return null;
  const { headers } = request;
  const method = headers['x-forwarded-method'] ?? headers['x-original-method'];
  const uri = headers['x-forwarded-uri'] ?? headers['x-original-uri'];
  if (uri === undefined) return null;
  return recordable(`${String(method ?? '')} ${withoutQuery(String(uri))}`.trim());
}

// However ours is written: as a part of a whole URL (RFC 9112, section 3.2.2) or percent-encoded.
function pathBehind({ routeOptions, url }: FastifyRequest): string {
  if (routeOptions.url === prefix) return '';
  return withoutQuery(url).replace(/^([a-z]+:\/\/[^/]*)?\/[^/]*/i, '');
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '');
}
