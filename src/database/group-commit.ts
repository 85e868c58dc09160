interface Waiting<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes the items of concurrent callers together: one flush is in flight at a time, and the next
 * takes everything that has gathered meanwhile. There is no timer: an idle process writes at the
 * end of the present tick, a busy one as soon as the flush before has returned.
 */
export class GroupCommit<Item> {
  #waiting: Waiting<Item>[] = [];
  #busy = false;

  /**
   * Starts idle.
   * @param flush makes items durable, all or none
   * @param maxItems the most that one flush takes
   */
  constructor(
    private readonly flush: (items: readonly Item[]) => Promise<void>,
    private readonly maxItems: number,
  ) {}

  /** Resolves when the item is durable; rejects when its flush failed. */
  async commit(item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#busy) return;
      this.#busy = true;
      setImmediate(() => void this.#work());
    });
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.maxItems);
      try {
        await this.flush(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = false;
  }
}
