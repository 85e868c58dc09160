import type { Database, Transaction } from '../../src/database/database';
import { FewReads } from '../../src/database/few-reads';
import { UnavailableError } from '../../src/kernel/errors';

type Reader = Pick<Database, 'read'>;

/** A database whose connections are of no interest to the work. */
const database: Reader = {
  async read(work) {
    return work({} as Transaction); // looked at by nobody
  },
};

test('no more than so many go on at once, the others follow in their order, whatever becomes of those before', async () => {
  const reads = new FewReads(database, { atOnce: 2, waitMs: 30_000 });
  const begun: number[] = [];
  let [now, most] = [0, 0];
  const endings = await Promise.allSettled(
    Array.from({ length: 10 }, async (_, index) =>
      reads.read(async () => {
        begun.push(index);
        most = Math.max(most, (now += 1));
        await Promise.resolve();
        now -= 1;
        if (index % 3 === 0) throw new Error('of the work');
        return index;
      }),
    ),
  );
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(most).toBe(2);
  expect(endings.map(({ status }) => status === 'fulfilled')).toEqual(
    begun.map((index) => index % 3 !== 0),
  );
});

test('a database that is unavailable is not asked again by each that waits, and by the next that come', async () => {
  const reads = new FewReads(database, { atOnce: 1, waitMs: 30_000 });
  let asked = 0;
  const ask = async (): Promise<unknown> =>
    reads.read(async () => {
      asked += 1;
      return Promise.reject(new UnavailableError('gone'));
    });
  const endings = await Promise.allSettled([ask(), ask(), ask()]);
  expect(endings.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(asked).toBe(1);
  expect(await reads.read(async () => Promise.resolve('back'))).toBe('back');
});

test('one whose turn does not come in time is refused and never begins; the rest go on', async () => {
  const reads = new FewReads(database, { atOnce: 1, waitMs: 20 });
  let finish = (): void => undefined;
  const slow = reads.read(async () => new Promise<void>((resolve) => (finish = resolve)));
  let begun = false;
  const late = reads.read(async () => Promise.resolve((begun = true)));
  await expect(late).rejects.toThrow(UnavailableError);
  finish();
  await slow;
  expect(begun).toBe(false);
  expect(await reads.read(async () => Promise.resolve('next'))).toBe('next');
});
