import DataLoader from 'dataloader';

/** How look-ups of concurrent requests share queries. */
export interface BatchedLookupOptions<Key, Row> {
  /** Answers one key by itself: the plain query that an idle process sends at once. */
  readonly one: (key: Key) => Promise<Row | undefined>;
  /** Answers many keys with one query, in the order of the keys. */
  readonly many: (keys: readonly Key[]) => Promise<readonly (Row | undefined)[]>;
  readonly maxInFlight: number;
  readonly maxBatchSize: number;
}

/**
 * Merges the look-ups of all concurrent requests into few queries and keeps no answer: every call
 * reads the database anew. The first caller of an idle process does not wait; while queries are in
 * flight, what comes in gathers and goes out as one when a place is free. There are no timers.
 */
export class BatchedLookup<Key, Row> {
  readonly #loader: DataLoader<Key, Row | undefined>;
  readonly #held: (() => void)[] = [];
  #inFlight = 0;

  constructor(private readonly options: BatchedLookupOptions<Key, Row>) {
    this.#loader = new DataLoader(async (keys) => this.#counted(() => options.many(keys)), {
      cache: false,
      maxBatchSize: options.maxBatchSize,
      batchScheduleFn: (dispatch) => this.#schedule(dispatch),
    });
  }

  /** The row of a key as the database has it now, or undefined. */
  async load(key: Key): Promise<Row | undefined> {
    if (this.#inFlight === 0) return this.#counted(() => this.options.one(key));
    return this.#loader.load(key);
  }

  #schedule(dispatch: () => void): void {
    this.#held.push(dispatch);
    // By then all requests that arrived in this turn of the event loop have joined the batch.
    setImmediate(() => this.#release());
  }

  #release(): void {
    if (this.#inFlight < this.options.maxInFlight) this.#held.shift()?.();
  }

  async #counted<Result>(query: () => Promise<Result>): Promise<Result> {
    this.#inFlight += 1;
    try {
      return await query();
    } finally {
      this.#inFlight -= 1;
      this.#release();
    }
  }
}
