import type { ChainProof } from '../../src/audit/audit.service';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { withRooms } from '../support/organizations';

let keyward: TestKeyward;
beforeEach(async () => {
  keyward = await startTestKeyward();
});
afterEach(async () => keyward.stop());

async function prove(): Promise<ChainProof[]> {
  return withRooms(keyward, async ({ audit }) => {
    const proofs: ChainProof[] = [];
    for await (const proof of audit.prove()) proofs.push(proof);
    return proofs;
  });
}

/** Does what the database forbids: with the guard switched off, as its owner could. */
async function tamper(sql: string): Promise<void> {
  await keyward.database.sql('ALTER TABLE audit_events DISABLE TRIGGER ALL');
  await keyward.database.sql(sql);
  await keyward.database.sql('ALTER TABLE audit_events ENABLE TRIGGER ALL');
}

test('the events of concurrent changes form one chain that holds', async () => {
  await Promise.all(Array.from({ length: 20 }, async () => keyward.createKey()));
  expect(await prove()).toEqual([expect.objectContaining({ events: 22, brokenAt: undefined })]);
});

test.each([
  ["UPDATE audit_events SET actor_name = 'Somebody else' WHERE sequence = 3", 3],
  [`UPDATE audit_events SET changes = '{}' WHERE sequence = 2`, 2],
  ['DELETE FROM audit_events WHERE sequence = 2', 2],
  ['DELETE FROM audit_events WHERE sequence = 5', 5],
  [`UPDATE audit_events SET at = at + interval '1 second' WHERE sequence = 1`, 1],
])('the first broken link is named: %s', async (sql, brokenAt) => {
  for (const name of ['One', 'Two', 'Three']) await keyward.createKey({ name });
  await tamper(sql);
  expect(await prove()).toEqual([expect.objectContaining({ events: 5, brokenAt })]);
});

const setBack = `
  UPDATE audit_chains SET sequence = 4, hash = (SELECT hash FROM audit_events WHERE sequence = 4)`;
const forged = (sequence: number): string => `
  INSERT INTO audit_events SELECT (json_populate_record(event, json_build_object(
    'id', gen_random_uuid(), 'sequence', ${sequence}))).*
  FROM audit_events event WHERE sequence = 2`;

test.each([
  ['behind its end', forged(9), { events: 5, brokenAt: 9 }],
  ['far behind its end', forged(5_000_000_000), { events: 5, brokenAt: 5_000_000_000 }],
  ['before its beginning', forged(0), { events: 5, brokenAt: 0 }],
  ['after its end was set back', setBack, { events: 4, brokenAt: 5 }],
  ['after its end was removed', 'DELETE FROM audit_chains', { events: 0, brokenAt: 1 }],
])('an event that stands beside the chain is named: %s', async (_, sql, proof) => {
  for (const name of ['One', 'Two', 'Three']) await keyward.createKey({ name });
  await keyward.database.sql(sql);
  expect(await prove()).toEqual([expect.objectContaining(proof)]);
});

test('an organization of which no event is left is named: its creation was one', async () => {
  await tamper('DELETE FROM audit_events');
  for (const end of [
    'SELECT',
    'UPDATE audit_chains SET sequence = 0',
    'DELETE FROM audit_chains',
  ]) {
    await keyward.database.sql(end);
    expect(await prove()).toEqual([expect.objectContaining({ brokenAt: 1 })]);
  }
});

test.each([
  'UPDATE audit_events SET ip = NULL',
  'DELETE FROM audit_events',
  'TRUNCATE audit_events',
  'SET LOCAL session_replication_role = replica; DELETE FROM audit_events',
])("the database refuses Keyward's own user: %s", async (sql) => {
  await expect(keyward.database.sql(sql)).rejects.toThrow('audit events are only ever added');
});
