import fc from 'fast-check';
import { BatchedLookup } from '../../src/kernel/batched-lookup';

/** A database whose queries wait until the test answers them. */
class HeldQueries {
  readonly sent: { readonly keys: readonly number[]; readonly answer: () => void }[] = [];
  inFlight = 0;
  mostInFlight = 0;
  failure: Error | undefined;

  async query(keys: readonly number[]): Promise<readonly (string | undefined)[]> {
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    await new Promise<void>((answer) => this.sent.push({ keys, answer }));
    this.inFlight -= 1;
    if (this.failure !== undefined) throw this.failure;
    return keys.map((key) => (key < 0 ? undefined : `row ${key}`));
  }

  /** Lets everything that is ready happen, and answers the queries that then wait. */
  async answerAll(): Promise<void> {
    for (let idle = 0; idle < 3;) {
      await turn();
      const waiting = this.sent.splice(0);
      for (const { answer } of waiting) answer();
      idle = waiting.length === 0 ? idle + 1 : 0;
    }
  }
}

const turn = async (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function lookupOn(queries: HeldQueries, maxBatchSize = 1000): BatchedLookup<number, string> {
  return new BatchedLookup({
    one: async (key) => (await queries.query([key]))[0],
    many: async (keys) => queries.query(keys),
    maxInFlight: 2,
    maxBatchSize,
  });
}

test('an idle process asks at once, for one; what comes meanwhile goes out as one query', async () => {
  const queries = new HeldQueries();
  const lookup = lookupOn(queries);
  const first = lookup.load(1);
  expect(queries.sent.map(({ keys }) => keys)).toEqual([[1]]);
  const rest = [2, 3, 4].map(async (key) => lookup.load(key));
  await turn();
  await turn();
  expect(queries.sent.map(({ keys }) => keys)).toEqual([[1], [2, 3, 4]]);
  const late = [5, 6].map(async (key) => lookup.load(key));
  await turn();
  await turn();
  expect(queries.sent).toHaveLength(2); // two are in flight, so the rest gathers
  await queries.answerAll();
  expect(await Promise.all([first, ...rest, ...late])).toEqual(
    [1, 2, 3, 4, 5, 6].map((key) => `row ${key}`),
  );
});

test('whatever comes in when, each gets its own row and at most two queries are in flight', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: -3, max: 20 }), { maxLength: 12 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 5 }),
      async (arrivals, maxBatchSize) => {
        const queries = new HeldQueries();
        const sizes: number[] = [];
        const lookup = lookupOn(queries, maxBatchSize);
        const answers: Promise<string | undefined>[] = [];
        for (const keys of arrivals) {
          answers.push(...keys.map(async (key) => lookup.load(key)));
          await turn();
          sizes.push(...queries.sent.map((each) => each.keys.length));
          queries.sent.shift()?.answer();
        }
        await queries.answerAll();
        const expected = arrivals.flat().map((key) => (key < 0 ? undefined : `row ${key}`));
        expect(await Promise.all(answers)).toEqual(expected);
        expect(queries.mostInFlight).toBeLessThanOrEqual(2);
        expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(maxBatchSize);
      },
    ),
  );
});

test('no answer is kept: the same key is asked for every time, also within a batch', async () => {
  let asked = 0;
  const count = async (keys: readonly number[]): Promise<number[]> => keys.map(() => (asked += 1));
  const lookup = new BatchedLookup<number, number>({
    one: async () => (asked += 1),
    many: count,
    maxInFlight: 2,
    maxBatchSize: 10,
  });
  expect(await lookup.load(7)).toBe(1);
  expect(await lookup.load(7)).toBe(2);
  const together = await Promise.all([lookup.load(7), lookup.load(7), lookup.load(7)]);
  expect(new Set(together).size).toBe(3);
});

test('a failure reaches every caller of its query and nobody else, and the next queries go on', async () => {
  const queries = new HeldQueries();
  const lookup = lookupOn(queries);
  const first = lookup.load(1);
  const batch = [2, 3, 4].map(async (key) => lookup.load(key));
  await turn();
  await turn();
  const late = [5, 6].map(async (key) => lookup.load(key));
  await turn();
  const [one, many] = queries.sent.splice(0);
  one?.answer();
  expect(await first).toBe('row 1');
  queries.failure = new Error('connection lost');
  many?.answer();
  for (const caller of batch) await expect(caller).rejects.toThrow('connection lost');
  queries.failure = undefined;
  await queries.answerAll();
  expect(await Promise.all(late)).toEqual(['row 5', 'row 6']);
  const afterwards = lookup.load(7);
  await queries.answerAll();
  expect(await afterwards).toBe('row 7');
});
