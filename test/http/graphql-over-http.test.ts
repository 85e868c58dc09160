import '../support/production';
import { serverAudits } from 'graphql-http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

const audits = serverAudits({ url: () => keyward.url });

test('there are 61 audits of GraphQL over HTTP, and they run in production mode', () => {
  expect(audits).toHaveLength(61);
  expect(process.env.NODE_ENV).toBe('production');
});

test.each(audits.map((audit) => [`${audit.id} ${audit.name}`, audit] as const))(
  'GraphQL over HTTP holds: %s',
  async (_name, audit) => {
    const result = await audit.fn();
    expect({ status: result.status, ...('reason' in result && { reason: result.reason }) }).toEqual(
      { status: 'ok' },
    );
  },
);
