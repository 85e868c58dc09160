import type { FastifyReply, FastifyRequest } from 'fastify';
import { newJournal, type RequestJournal } from '../graphql/context';
import { requireScopes } from '../graphql/scope-directive';
import { requireCaller, type Caller } from '../kernel/principal';
import { callerOf } from './client';
import { authenticate, type GraphqlRouteParts } from './graphql-route';

/** What letting verifiers in needs of others. */
export type VerifierParts = Pick<GraphqlRouteParts, 'authenticator'>;

/**
 * Lets only callers with `api_keys:verify` pass, before the body is read, so that a body which
 * cannot be read is still a recorded request of its key.
 * @param operation names the request in its usage record
 * @throws InputError, AuthenticationError or FieldRefusedError as `authenticate` and `requireScopes` do
 */
export async function authenticateVerifier(
  request: FastifyRequest,
  reply: FastifyReply,
  operation: string,
  parts: VerifierParts,
): Promise<void> {
  const journal = newJournal(operation);
  const principal = await authenticate(request, reply, journal, parts);
  const caller = callerOf(principal, request);
  request.requestContext = { caller, journal };
  requireScopes(request.requestContext, [[['api_keys:verify']]]);
}

/** The verifier that `authenticateVerifier` let in, and the request's journal. */
export function verifierOf({ requestContext }: FastifyRequest): {
  readonly caller: Caller;
  readonly journal: RequestJournal;
} {
  if (requestContext === null) throw new Error('a request was not authenticated');
  return { caller: requireCaller(requestContext.caller), journal: requestContext.journal };
}
