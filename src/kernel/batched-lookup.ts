/** How look-ups of concurrent requests share queries. */
export interface BatchedLookupOptions<Key, Row> {
  /** Answers one key by itself: the plain query that an idle process sends at once. */
  readonly one: (key: Key) => Promise<Row | undefined>;
  /** Answers many keys with one query, in the order of the keys. */
  readonly many: (keys: readonly Key[]) => Promise<readonly (Row | undefined)[]>;
  readonly maxInFlight: number;
  readonly maxBatchSize: number;
  /** Hears of every query, how many keys it looks up. */
  readonly observe?: (keys: number) => void;
}

interface Waiting<Key, Row> {
  readonly key: Key;
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Merges the look-ups of all concurrent requests into few queries and keeps no answer: every call
 * reads the database anew. The first caller of an idle process does not wait; while queries are in
 * flight, what comes in gathers and goes out as one query when a place is free. There are no timers.
 * Not a DataLoader, which is for the look-ups of one request: here it cost a fifth of the speed.
 */
export class BatchedLookup<Key, Row> {
  #waiting: Waiting<Key, Row>[] = [];
  #inFlight = 0;
  #keysInFlight = 0;
  #scheduled = false;

  constructor(private readonly options: BatchedLookupOptions<Key, Row>) {}

  /** The row of a key as the database has it now, or undefined. */
  load(key: Key): Promise<Row | undefined> {
    if (this.#inFlight === 0 && !this.#scheduled) {
      return this.#counted(1, () => this.options.one(key));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      this.#schedule();
    });
  }

  // By then all requests that arrived in this turn of the event loop have joined the batch.
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#mayGo()) {
        void this.#send(this.#waiting.splice(0, this.options.maxBatchSize));
      }
    });
  }

  // Beside another query only one that is as large goes out: small ones would never grow together.
  #mayGo(): boolean {
    if (this.#waiting.length === 0) return false;
    if (this.#inFlight === 0) return true;
    const { maxInFlight, maxBatchSize } = this.options;
    const enough = Math.min(this.#keysInFlight, maxBatchSize);
    return this.#inFlight < maxInFlight && this.#waiting.length >= enough;
  }

  async #send(batch: readonly Waiting<Key, Row>[]): Promise<void> {
    try {
      const keys = batch.map(({ key }) => key);
      const rows = await this.#counted(batch.length, () => this.options.many(keys));
      batch.forEach(({ resolve }, index) => resolve(rows[index]));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #counted<Result>(keys: number, query: () => Promise<Result>): Promise<Result> {
    this.#inFlight += 1;
    this.#keysInFlight += keys;
    this.options.observe?.(keys);
    try {
      return await query();
    } finally {
      this.#inFlight -= 1;
      this.#keysInFlight -= keys;
      // Who was answered by a batch and asks again is not the first caller of an idle process.
      if (keys > 1 || this.#waiting.length > 0) this.#schedule();
    }
  }
}
