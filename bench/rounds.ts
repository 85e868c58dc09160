/** Something whose speed is measured, in operations a second. */
export interface Variant {
  readonly name: string;
  /** Works for so long and tells how many operations were done a second. */
  measure(milliseconds: number): Promise<number>;
}

/** How long and how often everything is measured. */
export interface Effort {
  readonly rounds: number;
  readonly milliseconds: number;
}

/** A variant's speed in each round; `median` is what is reported. */
export interface Measured {
  readonly name: string;
  readonly rates: readonly number[];
  readonly median: number;
}

/**
 * Measures all variants in turn, round after round, so that whatever else the machine does meets
 * all of them. The first round warms up and does not count.
 */
export async function interleave(
  variants: readonly Variant[],
  { rounds, milliseconds }: Effort,
): Promise<ReadonlyMap<string, Measured>> {
  const rates = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, measure } of variants) {
      const rate = await measure(milliseconds);
      if (round > 0) rates.get(name)?.push(rate);
    }
  }
  return new Map(
    [...rates].map(([name, all]) => [name, { name, rates: all, median: median(all) }]),
  );
}

/** The median of the ratios of two variants, round by round. */
export function ratio(one: Measured | undefined, other: Measured | undefined): number {
  if (one === undefined || other === undefined) return NaN;
  return median(one.rates.map((rate, round) => rate / (other.rates[round] ?? NaN)));
}

/** The middle one of some values, or between the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const below = sorted[Math.ceil(middle) - 1] ?? NaN;
  const above = sorted[Math.floor(middle)] ?? NaN;
  return (below + above) / 2;
}

/** Runs `work` over and over in `concurrency` loops; operations a second. */
export async function closedLoop(
  concurrency: number,
  milliseconds: number,
  work: (index: number) => Promise<void>,
): Promise<number> {
  let done = 0;
  let next = 0;
  const startedAt = performance.now();
  const endAt = startedAt + milliseconds;
  const loop = async (): Promise<void> => {
    while (performance.now() < endAt) {
      next += 1;
      await work(next);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  return (done * 1000) / (performance.now() - startedAt);
}
