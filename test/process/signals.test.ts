import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startCollector } from '../support/collector';
import { graphql } from '../support/http';
import { testPepper } from '../support/keyward';
import { launch, serve, testDatabase, type Server, type Settings } from '../support/process';

jest.setTimeout(60_000);

const tellModules = join(__dirname, '..', 'support', 'tell-modules-process.cjs');
const token = 'a-token-that-only-prometheus-knows';
const sdk = ['@opentelemetry/sdk-trace', '@opentelemetry/exporter-trace-otlp-http'];

async function start(settings: Settings = {}): Promise<Server> {
  const { url } = await testDatabase();
  const NODE_OPTIONS = `--require=${tellModules}`;
  return serve({ DATABASE_URL: url, KEYWARD_PEPPERS: testPepper, NODE_OPTIONS, ...settings });
}

async function ask(server: Server): Promise<number> {
  const { status } = await graphql(
    server.url,
    { query: '{ viewer { kind } }' },
    { key: server.adminKey ?? null },
  );
  return status;
}

/** Stops the server; the packages it had loaded by then. */
async function packagesOf(server: Server): Promise<readonly string[]> {
  const { code, stdout, stderr } = await server.stop();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const packages = /^Packages: (.+)$/m.exec(stdout)?.[1]?.split(' ') ?? [];
  expect(packages).toContain('fastify'); // they are really told
  return packages;
}

test('without their settings neither tracing nor metrics are even loaded', async () => {
  const server = await start();
  expect(await ask(server)).toBe(200);
  const packages = await packagesOf(server);
  expect(packages.filter((name) => /opentelemetry|prom-client/.test(name))).toEqual([]);
  expect(server.stdout).not.toContain('Metrics');
});

test('metrics load no tracing; the start says where they are', async () => {
  const server = await start({ KEYWARD_METRICS_PORT: '0', KEYWARD_METRICS_TOKEN: token });
  const url = /^Metrics: (\S+)$/m.exec(server.stdout)?.[1] ?? '';
  const answer = await fetch(url.replace('localhost', '127.0.0.1'), {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(200);
  const packages = await packagesOf(server);
  expect(packages).toContain('prom-client');
  expect(packages.filter((name) => sdk.includes(name))).toEqual([]);
});

test('SIGTERM sends the traces that are left', async () => {
  const collector = await startCollector();
  const server = await start({
    KEYWARD_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
  });
  expect(await ask(server)).toBe(200);
  expect(collector.spans()).toEqual([]);
  expect(await packagesOf(server)).toEqual(expect.arrayContaining(sdk));
  expect(collector.spans().map(({ name }) => name)).toEqual([
    'verify',
    'graphql',
    'commit usage',
    'POST /graphql',
  ]);
  await collector.stop();
});

test('a collector that takes and never answers does not hold up the end', async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo; // it listens on TCP
  const server = await start({ KEYWARD_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
  expect(await ask(server)).toBe(200);
  // Ended too late it would have ended itself with code 1.
  expect(await server.stop()).toMatchObject({ code: 0 });
  silent.unref().close();
});

test('a port for metrics that is taken is named', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo; // it listens on TCP
  const { url } = await testDatabase();
  const { code, stderr } = await launch({
    ...{ DATABASE_URL: url, KEYWARD_PEPPERS: testPepper, KEYWARD_METRICS_PORT: String(port) },
  }).ended;
  taken.close();
  expect(code).toBe(1);
  expect(stderr).toMatch(
    new RegExp(
      `^keyward: KEYWARD_METRICS_PORT: ${port} is in use by another program; [^\\n]+\\.\\n$`,
    ),
  );
});
