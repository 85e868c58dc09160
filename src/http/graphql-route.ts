import { HeaderMap, type ApolloServer, type HTTPGraphQLResponse } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '../auth/authentication';
import { parseCredentials } from '../kernel/credentials';
import { newJournal, type RequestContext, type RequestJournal } from '../graphql/context';
import { AuthenticationError, InputError } from '../kernel/errors';
import type { Principal } from '../kernel/principal';
import { callerOf, clientOf, type Client } from './client';
import { refuseForgedRequest } from './cross-site';
import { finishAnswer } from './finish-answer';
import { judge } from './request-signals';

/** What the GraphQL endpoint needs of others. */
export interface GraphqlRouteParts {
  readonly apollo: ApolloServer<RequestContext>;
  readonly authenticator: Authenticator;
  readonly corsOrigins: ReadonlySet<string>;
}

/** A client's request, as far as its credentials are judged and its record tells. */
export interface ClientRequest {
  readonly client: Client;
  /** Names and values in turn, as Node has them. */
  readonly rawHeaders: readonly string[];
}

const expiryNoticeMs = 30 * 24 * 60 * 60 * 1000;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; known before the body is read. */
    requestContext: RequestContext | null;
  }
}

/**
 * Serves GraphQL over HTTP at `/graphql`. Credentials are judged before the body is read, so that
 * a body which cannot be read is still a recorded request of its key.
 */
export function serveGraphql(app: FastifyInstance, parts: GraphqlRouteParts): void {
  app.decorateRequest('requestContext', null);
  app.route({
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], // Apollo answers the last three with 405
    url: '/graphql',
    onRequest: async (request, reply) => {
      refuseForgedRequest(request, parts.corsOrigins);
      const journal = newJournal();
      const principal = await authenticate(request, reply, journal, parts);
      const caller = callerOf(principal, request);
      request.requestContext = { caller, journal };
    },
    handler: async (request, reply) => {
      const { requestContext } = request;
      if (requestContext === null) throw new Error('a request was not authenticated');
      const answer = await request.span.part('graphql', async () =>
        parts.apollo.executeHTTPGraphQLRequest({
          httpGraphQLRequest: {
            method: request.method,
            headers: relevantHeaders(request),
            search: searchOf(request.url),
            body: request.body,
          },
          context: async () => Promise.resolve(requestContext),
        }),
      );
      return send(reply, finishAnswer(answer, request.id));
    },
  });
}

/**
 * Judges a request's credentials, notes its key for the usage record, and tells a key that ends
 * soon or has a successor so.
 * @param asked the request that is judged, when the one at hand only tells of it
 * @throws InputError on more than one Authorization header, AuthenticationError on bad credentials
 */
export async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  journal: RequestJournal,
  { authenticator }: Pick<GraphqlRouteParts, 'authenticator'>,
  { client, rawHeaders }: ClientRequest = clientRequestOf(request),
): Promise<Principal> {
  const credentials = parseCredentials(rawHeaders);
  if (credentials.kind === 'ambiguous') {
    throw new InputError('Authorization', 'Send exactly one Authorization header.');
  }
  request.keyUse = { journal, client };
  const result = await judge(request, journal, async () =>
    authenticator.authenticate(credentials, client),
  );
  if (result.kind === 'anonymous' || result.kind === 'person') return result.principal;
  if (result.kind === 'refused') {
    const { reason, key, message } = result;
    if (key !== undefined && (reason === 'EXPIRED' || reason === 'REVOKED')) {
      request.keyUse = { journal, client, key, refused: reason };
    }
    throw new AuthenticationError(reason, message);
  }
  request.keyUse = { journal, client, key: result.key };
  const { endsAt, successorId, checkedAt } = result.key;
  if (successorId !== null) reply.header('keyward-key-superseded', successorId);
  if (endsAt !== null && endsAt.getTime() - checkedAt.getTime() <= expiryNoticeMs) {
    reply.header('keyward-key-expires-at', endsAt.toISOString());
  }
  return result.principal;
}

function clientRequestOf(request: FastifyRequest): ClientRequest {
  return { client: clientOf(request), rawHeaders: request.raw.rawHeaders };
}

// Apollo reads no other headers, and copying all of them costs time.
function relevantHeaders({ headers }: FastifyRequest): HeaderMap {
  const relevant = new HeaderMap();
  if (headers['content-type'] !== undefined) relevant.set('content-type', headers['content-type']);
  if (headers.accept !== undefined) relevant.set('accept', headers.accept);
  return relevant;
}

function searchOf(url: string): string {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start);
}

async function send(reply: FastifyReply, answer: HTTPGraphQLResponse): Promise<FastifyReply> {
  for (const [name, value] of answer.headers) {
    if (name !== 'content-length') reply.header(name, value);
  }
  if (answer.body.kind !== 'complete') throw new Error('Keyward answers in one piece');
  return reply.code(answer.status ?? 200).send(answer.body.string);
}
