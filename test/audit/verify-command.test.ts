import { startTestKeyward, testPepper, type TestKeyward } from '../support/keyward';
import { keyward as command } from '../support/process';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

async function verify(): Promise<{ readonly stdout: string; readonly code: number | null }> {
  return command(['audit', 'verify'], {
    DATABASE_URL: keyward.database.url,
    KEYWARD_PEPPERS: testPepper,
  });
}

test('keyward audit verify proves the chain, or names its first broken link and fails', async () => {
  await keyward.createKey();
  const whole = await verify();
  expect(whole.code).toBe(0);
  expect(whole.stdout).toMatch(/^[0-9a-f-]{36}: 3 events, head [0-9a-f]{64}\n$/);
  await keyward.database.sql('ALTER TABLE audit_events DISABLE TRIGGER ALL');
  await keyward.database.sql(`UPDATE audit_events SET target_name = 'x' WHERE sequence = 2`);
  const broken = await verify();
  expect(broken.code).toBe(1);
  expect(broken.stdout).toMatch(/^[0-9a-f-]{36}: broken at event 2 of 3\n$/);
});
