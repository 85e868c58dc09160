import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { InputError } from '../kernel/errors';
import type { DelegatedVerificationService } from '../keys/delegated-verification.service';
import type { Judgement } from '../keys/judgement';
import { authenticateVerifier, verifierOf, type VerifierParts } from './verifier';

/** What the endpoint needs of others. */
export interface VerificationsRouteParts extends VerifierParts {
  readonly delegatedVerification: DelegatedVerificationService;
}

const texts = z.string().nullish();
const bodySchema = z.strictObject({
  verifications: z
    .array(
      z.strictObject({
        key: z.string(),
        requiredScopes: z.array(z.array(z.string())).nullish(),
        environment: z.enum(['LIVE', 'TEST']).nullish(),
        service: z.string(),
        ...{ operation: texts, requestId: texts, clientIp: texts, userAgent: texts },
      }),
    )
    .min(1)
    .max(100),
});

/**
 * Serves `POST /verifications`: `verifyApiKey` for many secrets at once and without GraphQL, for
 * gateways and the subgraph plugin.
 */
export function serveVerifications(app: FastifyInstance, parts: VerificationsRouteParts): void {
  app.post('/verifications', {
    onRequest: async (request, reply) => {
      await authenticateVerifier(request, reply, 'verifications', parts);
    },
    handler: async (request) => {
      const { caller, journal } = verifierOf(request);
      const results = await parts.delegatedVerification.verify(
        caller,
        readBody(request.body),
        (index) => `verifications.${String(index)}`,
      );
      journal.verifications.push(...results.map(({ record }) => record));
      return { verifications: results.map(({ judgement }) => toAnswer(judgement)) };
    },
  });
}

function readBody(body: unknown): z.infer<typeof bodySchema>['verifications'] {
  const parsed = bodySchema.safeParse(body);
  if (parsed.success) return parsed.data.verifications;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new InputError(
    field === '' ? 'body' : field,
    `${field || 'body'}: ${issue?.message ?? ''}.`,
  );
}

function toAnswer({ outcome, key, ...rest }: Judgement): object {
  return {
    valid: outcome === 'VALID',
    outcome,
    apiKey: key && {
      id: key.id,
      name: key.name,
      environment: key.environment,
      expiresAt: key.expiresAt?.toISOString() ?? null,
    },
    organization: key && { id: key.organizationId },
    scopes: rest.scopes,
    missingScopes: rest.missingScopes,
    superseded: rest.superseded,
  };
}
