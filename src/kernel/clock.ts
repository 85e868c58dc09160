/** Tells the time of this process; for durations and headers, never for a verdict on a key. */
export interface Clock {
  /** The present instant. */
  now(): Date;
  /** Milliseconds since some fixed moment, never going back; only differences mean something. */
  monotonicMs(): number;
}

/** The machine's own clock. Verdicts use the database's clock instead, which all replicas share. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};
