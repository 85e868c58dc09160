import type { VerificationOutcome } from '../kernel/key-request';

interface Judged {
  readonly outcome: VerificationOutcome;
}

/**
 * Measures the hot path. What it is told are numbers and words of our own, never a client's: each
 * word is a label, and labels must stay few.
 */
export interface Meter {
  /** Does the judging of one presented secret, counts it by its outcome and times it. */
  verification<Verdict extends Judged>(judge: () => Promise<Verdict>): Promise<Verdict>;
  /** Notes that one query looked up so many secrets. */
  lookUp(secrets: number): void;
  /** Does the writing of usage records, counts them by outcome and times it. */
  usageCommit(records: readonly Judged[], write: () => Promise<void>): Promise<void>;
  /**
   * Notes a request that is over.
   * @param route the path as the server declares it, not as the client wrote it
   * @param status undefined when the client went away before the answer was sent
   */
  httpRequest(route: string, status: number | undefined, milliseconds: number): void;
}

/** Measures nothing. */
export const noMeter: Meter = {
  verification: (judge) => judge(),
  lookUp: () => undefined,
  usageCommit: (_records, write) => write(),
  httpRequest: () => undefined,
};
