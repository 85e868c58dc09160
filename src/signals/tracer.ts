/** What a span says of a request; never a secret, a key or an organization. */
export type SpanFacts = Readonly<Record<string, string | number | undefined>>;

/** A request that is being traced. */
export interface Span {
  /** Does a part of its work, as a span below it; a part that throws is marked as failed. */
  part<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
  /** Ends it; nothing can be said of it afterwards. */
  end(facts: SpanFacts, failed: boolean): void;
}

/** Traces requests. */
export interface Tracer {
  /**
   * Begins the span of a request.
   * @param traceparent the header of W3C Trace Context, as the client sent it; one that cannot be
   *   read begins a new trace
   */
  begin(name: string, traceparent: string | undefined): Span;
}

/** A span of nothing. */
export const noSpan: Span = {
  part: (_name, work) => work(),
  end: () => undefined,
};

/** Traces nothing. */
export const noTracer: Tracer = { begin: () => noSpan };
