import fc from 'fast-check';
import { parseOrganizationId } from '../../src/kernel/ids';
import { encodeCursor } from '../../src/kernel/pages';
import { listName } from '../../src/keys/api-key-list';
import { created, listApiKeys, listed, refusal } from '../support/api-keys';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';

const total = 8;

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
  for (let index = 1; index < total; index += 1) await created(keyward, { name: `Key ${index}` });
});
afterAll(async () => keyward.stop());

const orderBy = { field: 'EXPIRES_AT', direction: 'ASC' };
const forge = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('one that this list did not give is refused naming the argument, as after and as before', async () => {
  const { pageInfo } = await listed(keyward, { orderBy, first: 3 });
  const own = String(pageInfo.endCursor);
  const other = await listed(keyward, { orderBy: { ...orderBy, direction: 'DESC' }, first: 3 });
  const byName = await listed(keyward, { orderBy: { ...orderBy, field: 'NAME' }, first: 3 });
  const bad = [
    ...['', 'x', '!!!!', 'null', own.slice(0, -1), `${own}A`, `${own}=`, ` ${own}`, own.repeat(20)],
    ...[String(other.pageInfo.endCursor), String(byName.pageInfo.endCursor)],
    ...[
      forge(null),
      forge([]),
      forge({}),
      forge([1, 2, 3]),
      forge(['2020-01-01', '0198a000-0000-7000-8000-000000000000']),
    ],
  ];
  for (const cursor of bad) {
    for (const field of ['after', 'before']) {
      const answer = await listApiKeys(keyward, { orderBy, [field]: cursor });
      expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field });
    }
  }
  // Beside a good one, the bad one is named.
  const both = await listApiKeys(keyward, { orderBy, after: own, before: 'x' });
  expect(refusal(both)).toEqual({ code: 'BAD_USER_INPUT', field: 'before' });
  expect((await listed(keyward, { orderBy, after: own, first: 200 })).nodes.length).toBe(total - 3);
});

test('any single character changed is noticed', async () => {
  const { pageInfo } = await listed(keyward, { orderBy, first: 3 });
  const own = String(pageInfo.endCursor);
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: own.length - 1 }),
      fc.constantFrom(...Array.from('ABCwxyz019-_')),
      async (place, other) => {
        fc.pre(own.charAt(place) !== other);
        const after = own.slice(0, place) + other + own.slice(place + 1);
        const answer = await listApiKeys(keyward, { orderBy, after });
        expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field: 'after' });
      },
    ),
    { numRuns: 60 },
  );
});

test('another organization’s is refused, and shows nothing of either', async () => {
  const other = await createOrganization(keyward, 'Cursor owner');
  const { secret: key } = await other.createKey({ name: 'Theirs' });
  const theirs = await listed(keyward, { orderBy }, { key });
  for (const cursor of theirs.edges.map((edge) => edge.cursor)) {
    const answer = await listApiKeys(keyward, { orderBy, after: cursor });
    expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field: 'after' });
  }
});

test('one with its checksum, but an instant that no database can read, is refused', async () => {
  const [node] = (await listed(keyward, { first: 1 })).nodes;
  const organizationId = parseOrganizationId(node?.organization.id ?? '');
  if (node === undefined || organizationId === undefined) throw new Error('no key');
  const list = listName(organizationId, { field: 'EXPIRES_AT', direction: 'ASC' });
  for (const value of ['0000-01-01T00:00:00.000Z', '+275760-09-13T00:00:00.000Z', 'tomorrow']) {
    const answer = await listApiKeys(keyward, {
      orderBy,
      after: encodeCursor({ value, id: node.id }, list),
    });
    expect(refusal(answer)).toEqual({ code: 'BAD_USER_INPUT', field: 'after' });
  }
});
