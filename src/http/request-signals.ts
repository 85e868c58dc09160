import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authentication } from '../auth/authentication';
import type { RequestJournal } from '../graphql/context';
import type { Clock } from '../kernel/clock';
import type { Logger } from '../kernel/logger';
import { noMeter, type Meter } from '../signals/meter';
import { noSpan, noTracer, type Span, type Tracer } from '../signals/tracer';

/** What telling about requests needs of others. */
export interface RequestSignalsParts {
  readonly meter: Meter;
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly logger: Logger;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The request's span. */
    span: Span;
    /** What its credentials came to, and the journal with more; null while they are not judged. */
    judged: { readonly result: Authentication; readonly journal: RequestJournal } | null;
  }
}

/**
 * Tells about every request that could be read, once it is over: as a metric, as a span, and at
 * level `debug` as a line of the log. Of what the client wrote only the name of its operation is
 * told, and that in no metric.
 */
export function signalRequests(app: FastifyInstance, parts: RequestSignalsParts): void {
  app.decorateRequest('judged', null);
  const { meter, tracer, logger } = parts;
  if (meter === noMeter && tracer === noTracer && !logger.isLevelEnabled('debug')) {
    app.decorateRequest('span', { getter: () => noSpan }); // nobody listens
    return;
  }
  app.decorateRequest('span');
  app.addHook('onRequest', (request, reply, done) => {
    const sinceMs = parts.clock.monotonicMs();
    const name = `${request.method} ${routeOf(request)}`;
    request.span = tracer.begin(name, traceparentOf(request));
    // Not the hook onResponse, which does not hear of clients that went away.
    reply.raw.once('close', () => {
      tell(request, reply, parts.clock.monotonicMs() - sinceMs, parts);
    });
    done();
  });
}

/** Judges the request's credentials as a part of its span, and remembers the outcome. */
export async function judge(
  request: FastifyRequest,
  journal: RequestJournal,
  authenticate: () => Promise<Authentication>,
): Promise<Authentication> {
  const result = await request.span.part('verify', authenticate);
  request.judged = { result, journal };
  return result;
}

function tell(
  request: FastifyRequest,
  reply: FastifyReply,
  milliseconds: number,
  { meter, logger }: RequestSignalsParts,
): void {
  const { id: requestId, method, judged } = request;
  const route = routeOf(request);
  const status = reply.raw.writableFinished ? reply.statusCode : undefined;
  const outcome = outcomeOf(judged);
  const operation = judged?.journal.operation ?? undefined;
  meter.httpRequest(route, status, milliseconds);
  request.span.end(
    {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      'graphql.operation.name': operation,
      'keyward.outcome': outcome,
      'keyward.request_id': requestId,
    },
    status !== undefined && status >= 500,
  );
  logger.debug(
    { requestId, method, route, status, durationMs: Math.round(milliseconds), operation, outcome },
    status === undefined ? 'a client went away' : 'a request was answered',
  );
}

function outcomeOf(judged: FastifyRequest['judged']): string | undefined {
  if (judged?.result.kind === 'refused') return judged.result.reason;
  if (judged?.result.kind !== 'key') return undefined;
  return judged.journal.refused ?? 'VALID';
}

/** The path as it was declared; of a path that nobody declared, nothing. */
function routeOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? 'none';
}

function traceparentOf({ headers }: FastifyRequest): string | undefined {
  const { traceparent } = headers;
  return typeof traceparent === 'string' ? traceparent : undefined;
}
