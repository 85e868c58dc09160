import type { FastifyInstance } from 'fastify';
import type { Config } from '../config';
import type { MetricsRouteParts } from '../http/metrics-route';
import { createMetricsServer } from '../http/server';
import { systemClock } from '../kernel/clock';
import type { Logger } from '../kernel/logger';
import { noMeter, type Meter } from '../signals/meter';
import type { PoolCounts } from '../signals/prometheus';
import { noTracer, type Tracer } from '../signals/tracer';
import { listen } from './listening';

/** What Keyward tells its operators beside the log. */
export interface Signals {
  readonly meter: Meter;
  readonly tracer: Tracer;
  /** What `/metrics` of the main port serves; undefined: it is not there. */
  readonly metrics: MetricsRouteParts | undefined;
  /** Where metrics are when they have a port of their own. */
  readonly metricsUrl: string | undefined;
  /** Sends the traces that are left, for so long at most, and ends. */
  close(patienceMs: number): Promise<void>;
}

/** A collector that is gone shall not hold up the end for longer. */
const longestFlushMs = 2000;

/**
 * Opens the signals that the settings ask for; the libraries of others are not even loaded.
 * @throws SettingError when the metrics' port cannot be had
 */
export async function openSignals(
  { host, metrics, tracesUrl }: Pick<Config, 'host' | 'metrics' | 'tracesUrl'>,
  pool: PoolCounts,
  logger: Logger,
): Promise<Signals> {
  const prometheus = metrics && (await loadPrometheus(pool));
  const route = prometheus && { ...prometheus, token: metrics.token };
  const own =
    route && metrics.port !== undefined
      ? await serveAlone(route, { host, port: metrics.port }, logger)
      : undefined;
  const traces = tracesUrl === undefined ? undefined : await loadTracing(tracesUrl, logger);
  return {
    meter: prometheus?.meter ?? noMeter,
    tracer: traces?.tracer ?? noTracer,
    metrics: own === undefined ? route : undefined,
    metricsUrl: own?.url,
    async close(patienceMs) {
      await own?.server.close();
      await traces?.close(Math.min(patienceMs, longestFlushMs));
    },
  };
}

async function loadPrometheus(pool: PoolCounts) {
  const { createPrometheus } = await import('../signals/prometheus.js');
  return createPrometheus(pool, systemClock);
}

async function loadTracing(url: string, logger: Logger) {
  const { createOpenTelemetry } = await import('../signals/open-telemetry.js');
  return createOpenTelemetry(url, logger);
}

async function serveAlone(
  route: MetricsRouteParts,
  where: { readonly host: string; readonly port: number },
  logger: Logger,
): Promise<{ readonly server: FastifyInstance; readonly url: string }> {
  const server = createMetricsServer(route, logger);
  const bound = await listen(server, { ...where, setting: 'KEYWARD_METRICS_PORT' });
  return { server, url: `http://localhost:${bound}/metrics` };
}
