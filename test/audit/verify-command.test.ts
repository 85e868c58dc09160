import { startTestKeyward, testPepper, type TestKeyward } from '../support/keyward';
import { keyward as command } from '../support/process';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

async function verify(
  ...heads: string[]
): Promise<{ readonly stdout: string; readonly code: number | null }> {
  return command(['audit', 'verify', ...heads.flatMap((head) => ['--head', head])], {
    DATABASE_URL: keyward.database.url,
    KEYWARD_PEPPERS: testPepper,
  });
}

test('a chain whose end was cut off is told by a head that an earlier run printed', async () => {
  await keyward.createKey();
  const headIn = (stdout: string): string => /head ([0-9a-f]{64})$/m.exec(stdout)?.[1] ?? '';
  const early = headIn((await verify()).stdout);
  await keyward.createKey();
  const late = headIn((await verify(early)).stdout);
  expect((await verify(early, late)).code).toBe(0);
  await keyward.database.sql(`
    ALTER TABLE audit_events DISABLE TRIGGER ALL;
    DELETE FROM audit_events WHERE sequence = 4;
    UPDATE audit_chains SET sequence = 3, hash = '\\x${early}';
    ALTER TABLE audit_events ENABLE TRIGGER ALL`);
  expect((await verify()).code).toBe(0);
  const cut = await verify(early, late);
  expect(cut.code).toBe(1);
  expect(cut.stdout).toContain(`head ${late}: in no chain`);
  expect(cut.stdout).not.toContain(`head ${early}: in no chain`);
});

test('keyward audit verify proves the chain, or names its first broken link and fails', async () => {
  const whole = await verify();
  expect(whole.code).toBe(0);
  expect(whole.stdout).toMatch(/^[0-9a-f-]{36}: 3 events, head [0-9a-f]{64}\n$/);
  await keyward.database.sql('ALTER TABLE audit_events DISABLE TRIGGER ALL');
  await keyward.database.sql(`UPDATE audit_events SET target_name = 'x' WHERE sequence = 2`);
  const broken = await verify();
  expect(broken.code).toBe(1);
  expect(broken.stdout).toMatch(/^[0-9a-f-]{36}: broken at event 2 of 3\n$/);
});
