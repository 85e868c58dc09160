import fc from 'fast-check';
import { GroupCommit } from '../../src/database/group-commit';

const turn = async (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A store whose writes wait until the test lets them end. */
class HeldStore {
  readonly written: number[] = [];
  readonly flushes: (readonly number[])[] = [];
  inFlight = 0;
  mostInFlight = 0;
  #end: ((failure?: Error) => void) | undefined;

  readonly flush = async (items: readonly number[]): Promise<void> => {
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    this.flushes.push(items);
    const failure = await new Promise<Error | undefined>((end) => (this.#end = end));
    this.inFlight -= 1;
    if (failure !== undefined) throw failure;
    this.written.push(...items);
  };

  /** Ends the flush in flight, if there is one. */
  async end(failure?: Error): Promise<void> {
    const end = this.#end;
    this.#end = undefined;
    end?.(failure);
    await turn();
  }
}

test('one flush is in flight at a time, and the next takes all that has gathered', async () => {
  const store = new HeldStore();
  const commits = new GroupCommit(store.flush, 100);
  const answers = [commits.commit(1), commits.commit(2)];
  await turn();
  answers.push(...[3, 4, 5].map(async (item) => commits.commit(item)));
  await turn();
  expect(store.flushes).toEqual([[1, 2]]);
  await store.end();
  expect(store.flushes).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
  await store.end();
  await Promise.all(answers);
  expect(store.mostInFlight).toBe(1);
});

test('a caller is answered when its item is durable, not before', async () => {
  const store = new HeldStore();
  const commits = new GroupCommit(store.flush, 100);
  let answered = false;
  const answer = commits.commit(1).then(() => (answered = true));
  for (let time = 0; time < 5; time += 1) await turn();
  expect(answered).toBe(false);
  await store.end();
  await answer;
  expect(store.written).toEqual([1]);
});

test('a failure reaches the callers of its flush and no others', async () => {
  const store = new HeldStore();
  const commits = new GroupCommit(store.flush, 100);
  const failing = [commits.commit(1), commits.commit(2)];
  const failures = Promise.allSettled(failing);
  await turn();
  const fine = [commits.commit(3), commits.commit(4)];
  await store.end(new Error('disk full'));
  await store.end();
  const outcomes = await failures;
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await Promise.all(fine);
  expect(store.written).toEqual([3, 4]);
});

test('whatever comes in when, everything is written once, in order, in flushes of bounded size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 9 }), { maxLength: 10 }),
      fc.integer({ min: 1, max: 4 }),
      async (arrivals, maxItems) => {
        const store = new HeldStore();
        const commits = new GroupCommit(store.flush, maxItems);
        const answers: Promise<void>[] = [];
        for (const count of arrivals) {
          for (let index = 0; index < count; index += 1)
            answers.push(commits.commit(answers.length));
          await turn();
          await store.end();
        }
        for (let rest = answers.length; rest > 0; rest -= 1) await store.end();
        expect(store.written).toHaveLength(answers.length);
        await Promise.all(answers);
        expect(store.written).toEqual(answers.map((_, index) => index));
        expect(Math.max(0, ...store.flushes.map(({ length }) => length))).toBeLessThanOrEqual(
          maxItems,
        );
        expect(store.mostInFlight).toBeLessThanOrEqual(1);
      },
    ),
  );
});
