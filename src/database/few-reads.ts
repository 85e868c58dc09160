import { UnavailableError } from '../kernel/errors';
import type { Database, Transaction } from './database';

/** How far reads may go. */
export interface ReadLimits {
  /** How many go on at once, at most. */
  readonly atOnce: number;
  /** How long one waits for its turn, at most. */
  readonly waitMs: number;
}

/** One whose turn has not come. */
interface Waiting {
  readonly begin: () => void;
  readonly giveUp: (error: Error) => void;
}

/**
 * Reads that may take seconds, of which few go on at once, however many are asked for: they must not
 * take the connections from those who judge keys and record requests. The others wait, first come,
 * first served; when one finds the database unavailable, so do all that wait.
 */
export class FewReads implements Pick<Database, 'read'> {
  readonly #waiting = new Set<Waiting>();
  #free: number;

  constructor(
    private readonly database: Pick<Database, 'read'>,
    private readonly limits: ReadLimits,
  ) {
    this.#free = limits.atOnce;
  }

  /**
   * Runs reading `work` as `Database.read` does, when its turn has come.
   * @throws UnavailableError as `Database.read` does, and when its turn does not come in time
   */
  async read<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    if (this.#free === 0) await this.#turn();
    else this.#free -= 1;
    try {
      return await this.database.read(work);
    } catch (error) {
      if (error instanceof UnavailableError) {
        for (const { giveUp } of this.#waiting) giveUp(error);
      }
      throw error;
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#free += 1;
      else next.begin();
    }
  }

  async #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
      };
      const waiting = {
        begin: () => {
          leave();
          resolve();
        },
        giveUp: (error: Error) => {
          leave();
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        waiting.giveUp(new UnavailableError(new Error('too many slow reads wait')));
      }, this.limits.waitMs);
      this.#waiting.add(waiting);
    });
  }
}
