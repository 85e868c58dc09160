import { logLevels } from './kernel/logger';

/** An environment variable: the README's table of settings is made of these. */
export interface Setting {
  readonly name: string;
  readonly unit: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** Every environment variable that Keyward reads. */
export const settings = [
  setting('PORT', 'TCP port', '4000', 'Where Keyward listens; 0 takes any free port.'),
  setting(
    'KEYWARD_HOST',
    'address',
    '::',
    'The address to listen on; `::` is every IPv6 and IPv4 address, `127.0.0.1` this machine only.',
  ),
  setting(
    'KEYWARD_CONFIG',
    'path',
    '',
    "The product's configuration, a JSON file described by `keyward.schema.json`. Without one: `sk_live_`/`sk_test_` keys and nine scopes.",
  ),
  setting(
    'DATABASE_URL',
    'URL',
    '',
    'An existing PostgreSQL, 14 or later. Without one Keyward runs its own.',
  ),
  setting(
    'KEYWARD_DATA_DIR',
    'path',
    '.keyward',
    'Where the embedded PostgreSQL and its secrets lie.',
  ),
  setting(
    'KEYWARD_PEPPERS',
    'texts',
    '',
    'Secrets that key digests are made with, comma-separated, newest first, each 32 characters or longer (`openssl rand -base64 32`). Required with `DATABASE_URL`; the embedded database keeps one of its own.',
  ),
  setting(
    'KEYWARD_DATABASE_POOL_SIZE',
    'connections',
    '10',
    'Connections to PostgreSQL held by each process.',
  ),
  setting(
    'KEYWARD_DATABASE_CONNECT_TIMEOUT_MS',
    'milliseconds',
    '3000',
    'How long a connection may take, waiting for a free one included.',
  ),
  setting(
    'KEYWARD_DATABASE_QUERY_TIMEOUT_MS',
    'milliseconds',
    '5000',
    'How long a statement may take before its connection is destroyed. PostgreSQL itself cancels statements at 0.8 and lock waits at 0.6 of it.',
  ),
  setting(
    'KEYWARD_OIDC_ISSUER',
    'URL',
    '',
    'The identity provider whose tokens people present, exactly as their `iss` claim has it. Without one only keys are accepted.',
  ),
  setting(
    'KEYWARD_OIDC_AUDIENCE',
    'text',
    '',
    'What the `aud` claim must hold. Required with `KEYWARD_OIDC_ISSUER`.',
  ),
  setting(
    'KEYWARD_OIDC_JWKS_URL',
    'URL',
    '',
    "Where the provider publishes its keys. Without one it is read from the issuer's discovery document.",
  ),
  setting(
    'KEYWARD_OIDC_ALGORITHMS',
    'names',
    'RS256,ES256',
    'The signature algorithms accepted, comma-separated; asymmetric ones only.',
  ),
  setting(
    'KEYWARD_OIDC_CLOCK_TOLERANCE_SECONDS',
    'seconds',
    '5',
    "How far the provider's clock may be off.",
  ),
  setting(
    'KEYWARD_OIDC_ORGANIZATION_CLAIM',
    'claim',
    'org_id',
    "The claim that names a person's organization, for ever the same. Claims are names or paths (`app.org_id`).",
  ),
  setting(
    'KEYWARD_OIDC_ORGANIZATION_NAME_CLAIM',
    'claim',
    'org_name',
    "The claim with the organization's name.",
  ),
  setting(
    'KEYWARD_OIDC_ROLE_CLAIM',
    'claim',
    'role',
    'The claim with the role: `admin` in any case, alone or in a list, makes an ADMIN, everything else a MEMBER.',
  ),
  setting('KEYWARD_OIDC_PLAN_CLAIM', 'claim', 'plan', "The claim with the organization's plan."),
  setting(
    'KEYWARD_USAGE_RECORD_DAYS',
    'days',
    '90',
    'How long the record of each request is kept, at least; 1 to 1000.',
  ),
  setting(
    'KEYWARD_USAGE_COUNT_DAYS',
    'days',
    '400',
    'How long the hourly counts of requests are kept, at least; 1 to 3650.',
  ),
  setting(
    'KEYWARD_INTROSPECTION',
    '`public`, `authenticated`, `off`',
    'public',
    'Who may read the schema, by introspection or `_service`.',
  ),
  setting(
    'KEYWARD_SDL_ACCESS_DIRECTIVES',
    '`on`, `off`',
    'on',
    'Whether `_service` prints `@authenticated` and `@requiresScopes`. `off` is for gateways that cannot read them; they are enforced all the same.',
  ),
  setting(
    'KEYWARD_CORS_ORIGINS',
    'origins',
    '',
    'Origins whose pages may call Keyward, comma-separated, exactly as browsers send them (`https://app.example.com`).',
  ),
  setting(
    'KEYWARD_TRUST_PROXY',
    'addresses',
    '',
    'Proxies whose `X-Forwarded-For` is believed, comma-separated addresses or networks (`10.0.0.0/8`).',
  ),
  setting(
    'KEYWARD_SHUTDOWN_TIMEOUT_MS',
    'milliseconds',
    '8000',
    'How long requests in flight may take to finish after SIGTERM.',
  ),
  setting(
    'KEYWARD_METRICS_PORT',
    'TCP port',
    '',
    'Where Prometheus finds `/metrics`, on `KEYWARD_HOST`; 0 takes any free port. Without it and without a token there are no metrics.',
  ),
  setting(
    'KEYWARD_METRICS_TOKEN',
    'text',
    '',
    'What readers of metrics present as `Authorization: Bearer`, 32 characters or longer (`openssl rand -hex 32`). Without `KEYWARD_METRICS_PORT` metrics are then at `/metrics` on `PORT`.',
  ),
  setting(
    'KEYWARD_OTLP_ENDPOINT',
    'URL',
    '',
    'The OpenTelemetry collector that traces are sent to, by OTLP over HTTP (`http://localhost:4318`); `/v1/traces` is added. Without one nothing is traced.',
  ),
  setting(
    'KEYWARD_LOG_LEVEL',
    logLevels.map((level) => `\`${level}\``).join(', '),
    'info',
    'How much is logged, as JSON lines on standard error.',
  ),
] as const satisfies readonly Setting[];

function setting<const Name extends string>(
  name: Name,
  unit: string,
  fallback: string,
  meaning: string,
): Setting & { readonly name: Name } {
  return { name, unit, fallback, meaning };
}

/** The name of a setting. */
export type SettingName = (typeof settings)[number]['name'];
