import { startCollector, type Collector, type ReceivedSpan } from '../support/collector';
import type { Logger } from '../../src/kernel/logger';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { readableLog } from '../support/log';
import { until } from '../support/process';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${parentId}-01`;
const viewer = '{ viewer { kind } }';

let collector: Collector;
let keyward: TestKeyward;
beforeAll(async () => {
  collector = await startCollector();
  keyward = await startTracing(collector.url);
});
afterAll(async () => {
  await keyward.stop();
  await collector.stop();
});

/** Starts a server with variables of OpenTelemetry's own; the delay is in milliseconds. */
async function startTracing(
  KEYWARD_OTLP_ENDPOINT: string,
  variables: Readonly<Record<string, string>> = { OTEL_BSP_SCHEDULE_DELAY: '20' },
  logger?: Logger,
): Promise<TestKeyward> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return await startTestKeyward({ KEYWARD_OTLP_ENDPOINT }, logger);
  } finally {
    process.env = before;
  }
}

/** The span of a request, once it has come. It ends last, so its parts have come before. */
async function spanOf(requestId: string | null): Promise<ReceivedSpan> {
  return until('the span of the request has come', () =>
    collector.spans().find(({ facts }) => facts['keyward.request_id'] === requestId),
  );
}

const partsOf = ({ spanId }: ReceivedSpan): readonly ReceivedSpan[] =>
  collector.spans().filter(({ parentSpanId }) => parentSpanId === spanId);

test('a request is a span below the one that traceparent names, and its parts are below it', async () => {
  const requestId = 'request-that-is-traced';
  const headers = { traceparent, 'x-request-id': requestId };
  await keyward.ask('query Who { viewer { kind } }', {}, { headers });
  const span = await spanOf(requestId);
  expect(span).toMatchObject({ traceId, parentSpanId: parentId, name: 'POST /graphql' });
  expect(span.facts).toEqual({
    'http.request.method': 'POST',
    'http.route': '/graphql',
    'http.response.status_code': 200,
    'graphql.operation.name': 'Who',
    'keyward.outcome': 'VALID',
    'keyward.request_id': requestId,
  });
  const parts = partsOf(span);
  expect(parts.map(({ name }) => name)).toEqual(['verify', 'graphql', 'commit usage']);
  expect(new Set(parts.map((part) => part.traceId))).toEqual(new Set([traceId]));
});

test.each([
  ['no traceparent', {}],
  ['a traceparent that is none', { traceparent: `${traceparent}0` }],
  ['a traceparent of zeros', { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` }],
])('a request with %s begins a trace of its own', async (_with, headers) => {
  const answer = await keyward.ask(viewer, {}, { headers });
  const span = await spanOf(answer.headers.get('x-request-id'));
  expect(span.parentSpanId).toBeUndefined();
  expect(span.traceId).toMatch(/^(?!0{32})(?!4bf92f)[\da-f]{32}$/);
});

test('a trace that its beginner does not sample is not sent', async () => {
  const unsampled = await keyward.ask(
    viewer,
    {},
    { headers: { traceparent: `${traceparent.slice(0, -1)}0` } },
  );
  await spanOf((await keyward.ask(viewer)).headers.get('x-request-id'));
  expect(collector.text()).not.toContain(unsampled.headers.get('x-request-id'));
});

test('a request that is refused says so, and has only the parts that took place', async () => {
  const { headers } = await keyward.ask(viewer, {}, { key: 'sk_live_nothing' });
  const span = await spanOf(headers.get('x-request-id'));
  expect(span.facts).toMatchObject({
    'http.response.status_code': 401,
    'keyward.outcome': 'MALFORMED',
  });
  expect(partsOf(span).map(({ name }) => name)).toEqual(['verify']);
});

test('a part that fails is marked, by the name of its error only', async () => {
  await keyward.database.sql('ALTER TABLE api_keys RENAME TO broken');
  const { headers, status } = await keyward.ask(viewer);
  await keyward.database.sql('ALTER TABLE broken RENAME TO api_keys');
  expect(status).toBe(500);
  const span = await spanOf(headers.get('x-request-id'));
  expect(span.status).toEqual({ code: 2 });
  const [part] = partsOf(span);
  expect(part).toMatchObject({
    name: 'verify',
    status: { code: 2 },
    facts: { 'error.type': 'error' },
  });
  expect(JSON.stringify(part)).not.toContain('does not exist');
});

test('servers in one process send to their own collectors, as OpenTelemetry’s variables say, to the last span', async () => {
  const other = await startCollector();
  const own = await startTracing(`${other.url}/v1/traces/`, {
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=acme',
    OTEL_SERVICE_NAME: 'keyward-eu',
  });
  const { headers } = await own.ask(viewer);
  const id = headers.get('x-request-id');
  expect(other.spans()).toEqual([]);
  await own.stop();
  await other.stop();
  expect(other.spans().map(({ facts }) => facts['keyward.request_id'])).toContain(id);
  expect(other.text()).toMatch(/^\/v1\/traces .*\bx-tenant acme\b/im);
  expect(other.text()).toContain('{"stringValue":"keyward-eu"}');
  expect(collector.text()).not.toContain(id);
});

test('a collector that refuses is told in the log and hurts no request', async () => {
  const refusing = await startCollector(400);
  const log = readableLog();
  const own = await startTracing(refusing.url, { OTEL_BSP_SCHEDULE_DELAY: '20' }, log.logger);
  expect((await own.ask(viewer)).status).toBe(200);
  await until('the refusal is logged', () => log.text().includes('traces could not be sent'));
  expect((await own.ask(viewer)).status).toBe(200);
  await own.stop();
  await refusing.stop();
});

test('what a sampler leaves out is not sent', async () => {
  const idle = await startCollector();
  const own = await startTracing(idle.url, {
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
  });
  expect((await own.ask(viewer, {}, { headers: { traceparent } })).status).toBe(200);
  await own.stop();
  await idle.stop();
  expect(idle.text()).toBe('');
});
