import type { FastifyInstance } from 'fastify';
import type { DelegatedVerificationService } from '../keys/delegated-verification.service';
import type { Judgement } from '../keys/judgement';
import type { ListingService } from '../keys/listing.service';
import { maxFormBytes, readFormBodies } from './form-body';
import { authenticateVerifier, verifierOf, type VerifierParts } from './verifier';

/** What the endpoint needs of others. */
export interface IntrospectionRouteParts extends VerifierParts {
  readonly delegatedVerification: DelegatedVerificationService;
  readonly listing: ListingService;
}

const longestService = 100;

/**
 * Serves `POST /introspect`, OAuth 2.0 Token Introspection (RFC 7662), for resource servers and
 * gateways that know no GraphQL. Of what is not alive it says nothing but that.
 */
export function serveIntrospection(app: FastifyInstance, parts: IntrospectionRouteParts): void {
  app.register((scope, _options, done) => {
    readFormBodies(scope);
    scope.post('/introspect', {
      bodyLimit: maxFormBytes,
      onRequest: async (request, reply) => {
        await authenticateVerifier(request, reply, 'introspect', parts);
      },
      handler: async (request, reply) => {
        const { caller, journal } = verifierOf(request);
        const form = new URLSearchParams(typeof request.body === 'string' ? request.body : '');
        const [key, ...more] = form.getAll('token');
        if (key === undefined || more.length > 0) {
          return reply.code(400).send({
            error: 'invalid_request', // RFC 6749, section 5.2
            error_description: 'Send exactly one parameter "token".',
          });
        }
        const { judgement, record } = await parts.delegatedVerification.verifyOne(
          caller,
          { key, service: serviceOf(caller.principal.actor.name) },
          'form',
        );
        journal.verifications.push(record);
        return introspectionOf(judgement, parts.listing);
      },
    });
    done();
  });
}

// The request cannot say which service it is for (RFC 7662 has no member for that): the key can.
function serviceOf(name: string): string {
  return Array.from(name).slice(0, longestService).join('');
}

async function introspectionOf(
  { outcome, key, scopes }: Judgement,
  listing: ListingService,
): Promise<object> {
  if (key === null || outcome !== 'VALID') return { active: false };
  const { id, endsAt, organizationId, environment } = key;
  const createdAt = (await listing.find(key))?.createdAt;
  return {
    active: true,
    scope: scopes.join(' '),
    client_id: id,
    token_type: 'Bearer',
    ...(endsAt !== null && { exp: toSeconds(endsAt) }),
    ...(createdAt !== undefined && { iat: toSeconds(createdAt) }),
    sub: id,
    organization_id: organizationId,
    environment,
  };
}

function toSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}
