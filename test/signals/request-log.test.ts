import { startTestKeyward } from '../support/keyward';
import { readableLog } from '../support/log';
import { until } from '../support/process';
import { send } from '../support/raw-http';

const query = 'query Who { viewer { kind } apiKeys { totalCount } }';

test('at level debug every request is one line, with its id, its declared path and how it ended', async () => {
  const log = readableLog();
  const keyward = await startTestKeyward({}, log.logger);
  const { secret } = await keyward.createKey();
  const lineOf = async (requestId: unknown) =>
    until('the request is logged', () =>
      log.of(requestId).find(({ route }) => route !== undefined),
    );

  const partly = await keyward.ask(query, {}, { key: secret });
  const line = await lineOf(partly.headers.get('x-request-id'));
  expect(Object.keys(line).sort()).toEqual(
    [
      ...['level', 'time', 'pid', 'hostname', 'msg', 'requestId', 'method', 'route'],
      ...['status', 'durationMs', 'operation', 'outcome'],
    ].sort(),
  );
  expect(line).toMatchObject({
    ...{ level: 20, method: 'POST', route: '/graphql', status: 200 },
    ...{ operation: 'Who', outcome: 'INSUFFICIENT_SCOPE' },
  });
  expect(line.durationMs).toBeGreaterThanOrEqual(0);
  const refused = await keyward.ask(query, {}, { key: `${secret}x` });
  expect(await lineOf(refused.headers.get('x-request-id'))).toMatchObject({
    ...{ route: '/graphql', status: 401, outcome: 'MALFORMED' },
  });
  const nowhere = await send(keyward.url, { method: 'GET', path: `/${secret}` });
  const lost = await lineOf(nowhere.headers['x-request-id']);
  expect(lost).toMatchObject({ method: 'GET', route: 'none', status: 404 });
  expect(lost).not.toHaveProperty('outcome');
  const anonymous = await keyward.ask('{ viewer { kind } }', {}, { key: null });
  expect(await lineOf(anonymous.headers.get('x-request-id'))).not.toHaveProperty('outcome');
  expect(log.of(partly.headers.get('x-request-id'))).toHaveLength(1);
  await keyward.stop();
});

test('at level info requests that are answered as they should be are not logged', async () => {
  const log = readableLog('info');
  const keyward = await startTestKeyward({}, log.logger);
  await keyward.ask(query);
  await keyward.ask(query, {}, { key: 'sk_live_nothing' });
  await keyward.stop();
  expect(log.text()).toBe('');
});
