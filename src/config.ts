import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { readOidc, type OidcSettings } from './config-oidc';
import { readProduct, SettingError, type Product } from './config-product';
import { readMetrics, readTracesUrl, type MetricsSettings } from './config-signals';
import { settingReader, type Environment } from './config-values';
import { logLevels, type LogLevel } from './kernel/logger';

/** Who may read the schema. */
export type IntrospectionAccess = 'public' | 'authenticated' | 'off';

/** What the database connections need to know. */
export interface DatabaseSettings {
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
}

/** How long usage is kept. */
export interface UsageRetention {
  readonly recordDays: number;
  readonly countDays: number;
}

/** A secret that digests are made with, and the name by which rows remember it. */
export interface Pepper {
  /** A fingerprint of the secret, so that the secrets need no naming and cannot be mixed up. */
  readonly id: string;
  readonly secret: string;
}

/** Every setting, checked. */
export interface Config {
  readonly port: number;
  readonly host: string;
  readonly product: Product;
  /** undefined: the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined;
  readonly dataDirectory: string;
  /** Newest first; empty only when the embedded database is to keep one. */
  readonly peppers: readonly Pepper[];
  readonly database: DatabaseSettings;
  /** undefined: people are off, and only keys are accepted. */
  readonly oidc: OidcSettings | undefined;
  readonly usageRetention: UsageRetention;
  readonly introspection: IntrospectionAccess;
  readonly sdlAccessDirectives: boolean;
  readonly corsOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly shutdownTimeoutMs: number;
  /** undefined: metrics are off. */
  readonly metrics: MetricsSettings | undefined;
  /** undefined: tracing is off. */
  readonly tracesUrl: string | undefined;
  readonly logLevel: LogLevel;
}

/**
 * Reads and checks every setting.
 * @throws SettingError naming the first one that cannot be used
 */
export function readConfig(environment: Environment = process.env): Config {
  const { text, list, integer, choice } = settingReader(environment);
  const databaseUrl = readDatabaseUrl(text('DATABASE_URL'));
  const peppers = readPeppers(list('KEYWARD_PEPPERS'), databaseUrl !== undefined);
  const configPath = text('KEYWARD_CONFIG');
  const port = integer('PORT', 0, 65_535);
  const metricsPort =
    text('KEYWARD_METRICS_PORT') === '' ? undefined : integer('KEYWARD_METRICS_PORT', 0, 65_535);
  return {
    port,
    host: text('KEYWARD_HOST'),
    product: readProduct(configPath === '' ? undefined : resolve(configPath)),
    databaseUrl,
    dataDirectory: resolve(text('KEYWARD_DATA_DIR')),
    peppers,
    database: {
      poolSize: integer('KEYWARD_DATABASE_POOL_SIZE', 2, 1000),
      connectTimeoutMs: integer('KEYWARD_DATABASE_CONNECT_TIMEOUT_MS', 100, 600_000),
      queryTimeoutMs: integer('KEYWARD_DATABASE_QUERY_TIMEOUT_MS', 100, 600_000),
    },
    oidc: readOidc({
      issuer: text('KEYWARD_OIDC_ISSUER'),
      audience: text('KEYWARD_OIDC_AUDIENCE'),
      jwksUrl: text('KEYWARD_OIDC_JWKS_URL'),
      algorithms: list('KEYWARD_OIDC_ALGORITHMS'),
      clockToleranceSeconds: integer('KEYWARD_OIDC_CLOCK_TOLERANCE_SECONDS', 0, 300),
      claims: {
        organization: text('KEYWARD_OIDC_ORGANIZATION_CLAIM'),
        organizationName: text('KEYWARD_OIDC_ORGANIZATION_NAME_CLAIM'),
        role: text('KEYWARD_OIDC_ROLE_CLAIM'),
        plan: text('KEYWARD_OIDC_PLAN_CLAIM'),
      },
    }),
    usageRetention: {
      recordDays: integer('KEYWARD_USAGE_RECORD_DAYS', 1, 1000),
      countDays: integer('KEYWARD_USAGE_COUNT_DAYS', 1, 3650),
    },
    introspection: choice('KEYWARD_INTROSPECTION', ['public', 'authenticated', 'off']),
    sdlAccessDirectives: choice('KEYWARD_SDL_ACCESS_DIRECTIVES', ['on', 'off']) === 'on',
    corsOrigins: list('KEYWARD_CORS_ORIGINS').map(checkOrigin),
    trustedProxies: list('KEYWARD_TRUST_PROXY').map(checkNetwork),
    shutdownTimeoutMs: integer('KEYWARD_SHUTDOWN_TIMEOUT_MS', 0, 9_000),
    metrics: readMetrics(port, metricsPort, text('KEYWARD_METRICS_TOKEN')),
    tracesUrl: readTracesUrl(text('KEYWARD_OTLP_ENDPOINT')),
    logLevel: choice('KEYWARD_LOG_LEVEL', logLevels),
  };
}

function checkOrigin(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw new SettingError(
    'KEYWARD_CORS_ORIGINS',
    `"${origin}" is not an origin; write scheme, host and port only, such as https://app.example.com.`,
  );
}

function checkNetwork(network: string): string {
  const [address = '', bits = '0', ...rest] = network.split('/');
  const widest = isIP(address) === 6 ? 128 : 32;
  const fits = /^\d{1,3}$/.test(bits) && Number(bits) <= widest;
  if (isIP(address) !== 0 && fits && rest.length === 0) return network;
  throw new SettingError(
    'KEYWARD_TRUST_PROXY',
    `"${network}" is no address or network; write addresses such as 10.0.0.1 or 10.0.0.0/8.`,
  );
}

function readDatabaseUrl(text: string): string | undefined {
  if (text === '') return undefined;
  if (URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol)) return text;
  throw new SettingError(
    'DATABASE_URL',
    'must be a PostgreSQL URL such as postgres://user:password@host:5432/database.',
  );
}

function readPeppers(secrets: readonly string[], required: boolean): readonly Pepper[] {
  if (secrets.length === 0 && required) {
    throw new SettingError(
      'KEYWARD_PEPPERS',
      'is required with DATABASE_URL; make one with `openssl rand -base64 32`, keep it safe, and give every Keyward process the same.',
    );
  }
  if (secrets.some((secret) => secret.length < 32)) {
    throw new SettingError(
      'KEYWARD_PEPPERS',
      'each pepper must be at least 32 characters long; make one with `openssl rand -base64 32`.',
    );
  }
  if (new Set(secrets).size !== secrets.length) {
    throw new SettingError('KEYWARD_PEPPERS', 'names the same pepper twice.');
  }
  return secrets.map(toPepper);
}

/** Names a secret by its fingerprint: the first 12 hexadecimal digits of a SHA-256. */
export function toPepper(secret: string): Pepper {
  const id = createHash('sha256').update(`keyward pepper ${secret}`).digest('hex').slice(0, 12);
  return { id, secret };
}
