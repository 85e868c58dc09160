import cors from '@fastify/cors';
import fastify, { type FastifyInstance } from 'fastify';
import { UnavailableError } from '../kernel/errors';
import type { Logger } from '../kernel/logger';
import { serveCoprocessor } from './coprocessor-route';
import { isInternal, sendError } from './error-answer';
import { serveForwardAuth, type ForwardAuthParts } from './forward-auth-route';
import { serveGraphql, type GraphqlRouteParts } from './graphql-route';
import { serveHealth, type Readiness } from './health-routes';
import { serveIntrospection, type IntrospectionRouteParts } from './introspection-route';
import { maxBodyBytes, readJsonBodies } from './json-body';
import { serveMetrics, type MetricsRouteParts } from './metrics-route';
import { serveRegistry, type RegistryRouteParts } from './registry-route';
import { signalRequests, type RequestSignalsParts } from './request-signals';
import { requestIdOf } from './request-id';
import { securityHeaders } from './security-headers';
import { answerInsteadOfNode, refuseUnreadable, refuseUrl } from './unreadable-request';
import { recordUsage, type UsageHookParts } from './usage-hook';
import { serveVerifications, type VerificationsRouteParts } from './verifications-route';

/** What the HTTP server needs of others. */
export interface HttpParts
  extends
    GraphqlRouteParts,
    RegistryRouteParts,
    VerificationsRouteParts,
    IntrospectionRouteParts,
    ForwardAuthParts,
    UsageHookParts,
    RequestSignalsParts {
  readonly readiness: Readiness;
  readonly trustedProxies: readonly string[];
  /** undefined: metrics are not served here. */
  readonly metrics: MetricsRouteParts | undefined;
  readonly logger: Logger;
}

// A client that sends its request slower than this is not waited for.
const slowestRequestMs = 30_000;

// No route has a JSON Schema. Unless it is told so, fastify loads its compilers of them all the same.
const compileNoSchemas = (): never => {
  throw new Error('routes check their input themselves');
};

const everyServer = {
  requestTimeout: slowestRequestMs,
  http: { requireHostHeader: false },
  requestIdHeader: false,
  genReqId: requestIdOf,
  exposeHeadRoutes: false,
  clientErrorHandler: refuseUnreadable,
  frameworkErrors: refuseUrl,
  schemaController: {
    compilersFactory: { buildValidator: compileNoSchemas, buildSerializer: compileNoSchemas },
  },
} as const;

/** Makes the HTTP server with everything it serves; it does not listen yet. */
export async function createHttpServer(parts: HttpParts): Promise<FastifyInstance> {
  const app = fastify({
    ...everyServer,
    bodyLimit: maxBodyBytes,
    trustProxy: parts.trustedProxies.length > 0 ? [...parts.trustedProxies] : false,
    forceCloseConnections: 'idle',
  });
  signalRequests(app, parts);
  addHeaders(app);
  answerInsteadOfNode(app);
  if (parts.corsOrigins.size > 0) await allowOrigins(app, parts.corsOrigins);
  readJsonBodies(app);
  answerErrors(app, parts.logger, 'GraphQL is at /graphql.');
  recordUsage(app, parts);
  serveHealth(app, parts.readiness);
  serveGraphql(app, parts);
  serveRegistry(app, parts);
  serveVerifications(app, parts);
  serveIntrospection(app, parts);
  serveForwardAuth(app, parts);
  serveCoprocessor(app, parts);
  if (parts.metrics !== undefined) serveMetrics(app, parts.metrics);
  return app;
}

/** Makes the server of `/metrics` on a port of its own; it does not listen yet. */
export function createMetricsServer(parts: MetricsRouteParts, logger: Logger): FastifyInstance {
  const app = fastify({ ...everyServer, forceCloseConnections: true });
  addHeaders(app);
  answerInsteadOfNode(app);
  answerErrors(app, logger, 'Metrics are at /metrics.');
  serveMetrics(app, parts);
  return app;
}

function addHeaders(app: FastifyInstance): void {
  const everyAnswer = { ...securityHeaders(), 'cache-control': 'no-store' };
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(everyAnswer).header('x-request-id', request.id);
    done();
  });
}

async function allowOrigins(app: FastifyInstance, origins: ReadonlySet<string>): Promise<void> {
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: [
      ...['x-request-id', 'www-authenticate', 'retry-after', 'content-disposition'],
      ...['keyward-key-expires-at', 'keyward-key-superseded'],
    ],
    maxAge: 600,
  });
}

function answerErrors(app: FastifyInstance, logger: Logger, whatIsHere: string): void {
  app.setErrorHandler(async (error, request, reply) => {
    const logged = { err: error, requestId: request.id };
    if (isInternal(error)) logger.error(logged, 'a request met an error');
    if (error instanceof UnavailableError) logger.warn(logged, 'a request could not be decided');
    return sendError(request, reply, error);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const message = `There is nothing here. ${whatIsHere}`;
    const extensions = { code: 'NOT_FOUND', requestId: request.id };
    return reply.code(404).send({ errors: [{ message, extensions }] });
  });
}
