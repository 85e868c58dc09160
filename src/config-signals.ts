import { SettingError } from './config-product';

/** Where metrics are served, and to whom. */
export interface MetricsSettings {
  /** undefined: at `/metrics` of the main port. */
  readonly port: number | undefined;
  /** undefined: to whoever reaches the port, which is then one of their own. */
  readonly token: string | undefined;
}

const shortestToken = 32;

/**
 * Checks the settings of metrics.
 * @returns undefined when neither port nor token is set: metrics are off
 * @throws SettingError naming the one at fault
 */
export function readMetrics(
  mainPort: number,
  port: number | undefined,
  token: string,
): MetricsSettings | undefined {
  if (port !== undefined && port !== 0 && port === mainPort) {
    throw new SettingError(
      'KEYWARD_METRICS_PORT',
      'must not be PORT; for metrics on that port set KEYWARD_METRICS_TOKEN alone.',
    );
  }
  if (token === '') return port === undefined ? undefined : { port, token: undefined };
  if (token.length < shortestToken || /\s/.test(token)) {
    throw new SettingError(
      'KEYWARD_METRICS_TOKEN',
      `must be ${shortestToken} characters or longer, without spaces; make one with \`openssl rand -hex 32\`.`,
    );
  }
  return { port, token };
}

/**
 * The URL that traces are sent to: the collector's with `/v1/traces` behind it, unless it is there.
 * @returns undefined when none is set: tracing is off
 * @throws SettingError when it is no URL
 * @source OpenTelemetry Protocol Exporter, "Endpoint URLs for OTLP/HTTP"
 */
export function readTracesUrl(endpoint: string): string | undefined {
  if (endpoint === '') return undefined;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new SettingError(
      'KEYWARD_OTLP_ENDPOINT',
      'must be the URL of a collector that takes OTLP over HTTP, such as http://localhost:4318.',
    );
  }
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/v1/traces') ? path : `${path}/v1/traces`;
  return url.href;
}
