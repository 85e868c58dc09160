import { randomInt } from 'node:crypto';
import type { Logger } from '../kernel/logger';

const minuteMs = 60_000;

/** Does what has to be done every hour or so, in every process, while Keyward runs. */
export class Maintenance {
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round = Promise.resolve();

  /**
   * Does nothing yet.
   * @param tasks done one after the other; each stops before its next step when its signal says so
   */
  constructor(
    private readonly tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
    private readonly logger: Logger,
  ) {}

  /** Begins with a round at once; after one that failed the next follows sooner. */
  start(): void {
    this.#round = this.#work();
  }

  /** Waits for the step that is being done and does no other. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#round;
  }

  async #work(): Promise<void> {
    let pauseMinutes = 60;
    for (const task of this.tasks) {
      try {
        await task(this.#stopping.signal);
      } catch (error) {
        this.logger.warn({ err: error }, 'maintenance failed and will be tried again');
        pauseMinutes = 5;
      }
    }
    if (this.#stopping.signal.aborted) return;
    // Not all processes at the same time, though they may have started so.
    const pauseMs = pauseMinutes * randomInt(0.8 * minuteMs, 1.2 * minuteMs);
    this.#timer = setTimeout(() => this.start(), pauseMs).unref();
  }
}
