import { setTimeout as pause } from 'node:timers/promises';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span as OpenTelemetrySpan, Tracer as Spans } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Logger } from '../kernel/logger';
import { noSpan, type Span, type SpanFacts, type Tracer } from './tracer';

/** A tracer that sends what it traces to a collector. */
export interface OpenTelemetry {
  readonly tracer: Tracer;
  /** Sends what is left, for so long at most. */
  close(patienceMs: number): Promise<void>;
}

const longestValue = 500;

/**
 * Traces by OpenTelemetry and sends spans, batched and beside the requests, by OTLP over HTTP. What
 * cannot be sent is logged and forgotten. Nothing is registered in OpenTelemetry's globals: two
 * servers in one process do not mix. Its own variables (`OTEL_TRACES_SAMPLER`, ...) work.
 * @param url the collector's URL for traces
 */
export function createOpenTelemetry(url: string, logger: Logger): OpenTelemetry {
  const named = resourceFromAttributes({ 'service.name': 'keyward' });
  const provider = new BasicTracerProvider({
    resource: named.merge(detectResources({ detectors: [envDetector] })),
    spanLimits: { attributeValueLengthLimit: longestValue },
    spanProcessors: [new BatchSpanProcessor(new LoggingExporter(url, logger))],
  });
  return {
    tracer: new RequestTracer(provider.getTracer('keyward')),
    async close(patienceMs) {
      const sent = provider.shutdown().catch(() => undefined); // the exporter has logged it
      await Promise.race([sent, pause(patienceMs, undefined, { ref: false })]);
    },
  };
}

class LoggingExporter extends OTLPTraceExporter {
  constructor(
    url: string,
    private readonly logger: Logger,
  ) {
    super({ url });
  }

  override export(...[spans, done]: Parameters<OTLPTraceExporter['export']>): void {
    super.export(spans, (result) => {
      if (result.error !== undefined) {
        const { length } = spans;
        this.logger.warn({ err: result.error, spans: length }, 'traces could not be sent');
      }
      done(result);
    });
  }
}

class RequestTracer implements Tracer {
  constructor(private readonly spans: Spans) {}

  // `tracestate` is not continued: a client may write into it what it likes.
  begin(name: string, traceparent: string | undefined): Span {
    const parent = traceparent === undefined ? null : parseTraceParent(traceparent);
    const around =
      parent === null
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
    const span = this.spans.startSpan(name, { kind: SpanKind.SERVER }, around);
    if (!span.isRecording()) return noSpan; // not sampled
    return new RequestSpan(this.spans, span, trace.setSpan(around, span));
  }
}

class RequestSpan implements Span {
  constructor(
    private readonly spans: Spans,
    private readonly span: OpenTelemetrySpan,
    private readonly inside: Context,
  ) {}

  async part<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const part = this.spans.startSpan(name, {}, this.inside);
    try {
      return await work();
    } catch (error) {
      // No message: what is in one is for the log, which knows what to take out.
      part.setStatus({ code: SpanStatusCode.ERROR });
      if (error instanceof Error) part.setAttribute('error.type', error.name);
      throw error;
    } finally {
      part.end();
    }
  }

  end(facts: SpanFacts, failed: boolean): void {
    this.span.setAttributes(facts);
    if (failed) this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.end();
  }
}
