import { z } from 'zod';
import { BatchedLookup } from '../kernel/batched-lookup';
import { systemClock } from '../kernel/clock';
import type { Circumstances } from './client-request';

/** A secret that a client presented, and what is known of its request. */
export interface Question extends Circumstances {
  readonly key: string;
  readonly clientIp?: string;
}

const verdict = z.object({
  valid: z.boolean(),
  outcome: z.string(),
  apiKey: z
    .object({
      id: z.string(),
      name: z.string(),
      environment: z.enum(['LIVE', 'TEST']),
      expiresAt: z.iso.datetime().pipe(z.coerce.date()).nullable(),
    })
    .nullable(),
  organization: z.object({ id: z.string() }).nullable(),
  scopes: z.array(z.string()),
});

const answer = z.object({ verifications: z.array(verdict) });
const refusal = z.object({ errors: z.array(z.object({ message: z.string() })) });

/** What Keyward answers about a secret. */
export type Verdict = z.infer<typeof verdict>;

interface Asked {
  readonly question: Question;
  /** On the monotonic clock. */
  readonly deadlineAtMs: number;
}

/** Where and as whom Keyward is asked. */
export interface RemoteVerificationSettings {
  readonly url: string;
  readonly key: string;
  readonly service: string;
  readonly deadlineMs: number;
  /** Is told why Keyward cannot be asked. */
  readonly warn: (reason: string) => void;
}

/**
 * Asks Keyward about secrets, over connections that are kept alive. The questions of concurrent
 * callers go out together, 100 at most; no answer is kept.
 */
export class RemoteVerification {
  readonly #lookup: BatchedLookup<Asked, Verdict>;
  #failing = false;

  constructor(private readonly settings: RemoteVerificationSettings) {
    this.#lookup = new BatchedLookup<Asked, Verdict>({
      one: async (asked) => (await this.#ask([asked]))[0],
      many: async (batch) => this.#ask(batch),
      maxInFlight: 2,
      maxBatchSize: 100,
    });
  }

  /**
   * Keyward's verdict of this moment, or undefined when none can be had within the deadline; the
   * first such failure in a row is told to `warn`.
   */
  async verify(question: Question): Promise<Verdict | undefined> {
    const deadlineAtMs = systemClock.monotonicMs() + this.settings.deadlineMs;
    try {
      const verdict = await this.#lookup.load({ question, deadlineAtMs });
      this.#failing = false;
      return verdict;
    } catch (error) {
      if (!this.#failing) this.settings.warn(`Keyward cannot be asked: ${reasonOf(error)}`);
      this.#failing = true;
      return undefined;
    }
  }

  // A batch ends with its oldest caller's deadline: nobody waits longer than his own. A timeout
  // destroys the connection; what merely broke, as one does whose server restarts, is asked anew.
  async #ask(batch: readonly Asked[]): Promise<readonly Verdict[]> {
    const endsAtMs = Math.min(...batch.map(({ deadlineAtMs }) => deadlineAtMs));
    const remainingMs = Math.max(0, Math.ceil(endsAtMs - systemClock.monotonicMs()));
    const signal = AbortSignal.timeout(remainingMs);
    const response = await this.#post(batch, signal).catch(async (error: unknown) => {
      if (signal.aborted) throw error;
      return this.#post(batch, signal);
    });
    if (response.status !== 200) {
      const told = refusal.safeParse(await response.json().catch(() => undefined));
      const reason = told.data?.errors[0]?.message ?? 'and gives no reason';
      throw new Error(`it answers with ${response.status}: ${reason}`);
    }
    const { data } = answer.safeParse(await response.json());
    if (data?.verifications.length === batch.length) return data.verifications;
    throw new Error('it answers with something else than verifications');
  }

  async #post(batch: readonly Asked[], signal: AbortSignal): Promise<Response> {
    const { url, key, service } = this.settings;
    const verifications = batch.map(({ question }) => ({ ...question, service }));
    return fetch(new URL('verifications', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ verifications }),
      redirect: 'error',
      signal,
    });
  }
}

// fetch says "fetch failed", and why in the cause.
function reasonOf(error: unknown): string {
  return String(error instanceof Error ? (error.cause ?? error) : error);
}
