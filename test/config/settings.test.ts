import { readFileSync } from 'node:fs';
import { readConfig } from '../../src/config';
import { settings } from '../../src/config-settings';
import { SettingError } from '../../src/config-product';

const oidc = {
  KEYWARD_OIDC_ISSUER: 'https://login.example.com',
  KEYWARD_OIDC_AUDIENCE: 'https://keys.example.com',
};
const pepper = 'a pepper that is long enough for a test';

test("the README's table of settings is the code's", () => {
  const rows = settings.map(
    ({ name, unit, fallback, meaning }) =>
      `| \`${name}\` | ${unit} | ${fallback === '' ? '' : `\`${fallback}\` `}| ${meaning} |`,
  );
  expect(tableIn(readFileSync('README.md', 'utf8'), '## Settings')).toEqual(rows);
});

test('every environment variable that the code reads is in the table', () => {
  const text = readFileSync('src/config.ts', 'utf8');
  const read = new Set(text.match(/'(?:KEYWARD_[A-Z_]+|PORT|DATABASE_URL)'/g));
  expect([...read].map((quoted) => quoted.slice(1, -1)).sort()).toEqual(
    settings.map(({ name }) => name).sort(),
  );
});

test('without any setting, every default can be used', () => {
  const config = readConfig({});
  expect(config).toMatchObject({ port: 4000, host: '::', databaseUrl: undefined, peppers: [] });
});

test.each([
  ['PORT', { PORT: 'http' }],
  ['PORT', { PORT: '65536' }],
  ['DATABASE_URL', { DATABASE_URL: 'mysql://localhost/keys' }],
  ['KEYWARD_PEPPERS', { DATABASE_URL: 'postgres://localhost/keys' }],
  ['KEYWARD_PEPPERS', { KEYWARD_PEPPERS: 'short' }],
  ['KEYWARD_PEPPERS', { KEYWARD_PEPPERS: `${pepper},${pepper}` }],
  ['KEYWARD_DATABASE_POOL_SIZE', { KEYWARD_DATABASE_POOL_SIZE: '-1' }],
  ['KEYWARD_OIDC_ISSUER', { KEYWARD_OIDC_AUDIENCE: 'keyward' }],
  ['KEYWARD_OIDC_ISSUER', { KEYWARD_OIDC_ISSUER: 'login.example.com' }],
  ['KEYWARD_OIDC_ISSUER', { KEYWARD_OIDC_ISSUER: 'http://login.example.com' }],
  ['KEYWARD_OIDC_ISSUER', { KEYWARD_OIDC_ISSUER: 'http://127.0.0.1.example.com' }],
  ['KEYWARD_OIDC_ISSUER', { ...oidc, KEYWARD_OIDC_ISSUER: 'https://me:pass@login.example.com' }],
  ['KEYWARD_OIDC_AUDIENCE', { KEYWARD_OIDC_ISSUER: oidc.KEYWARD_OIDC_ISSUER }],
  ['KEYWARD_OIDC_JWKS_URL', { ...oidc, KEYWARD_OIDC_JWKS_URL: 'http://login.example.com/keys' }],
  ['KEYWARD_OIDC_JWKS_URL', { ...oidc, KEYWARD_OIDC_JWKS_URL: 'file:///keys.json' }],
  ['KEYWARD_OIDC_ALGORITHMS', { ...oidc, KEYWARD_OIDC_ALGORITHMS: 'RS256,HS256' }],
  ['KEYWARD_OIDC_ALGORITHMS', { ...oidc, KEYWARD_OIDC_ALGORITHMS: 'none' }],
  ['KEYWARD_OIDC_ALGORITHMS', { ...oidc, KEYWARD_OIDC_ALGORITHMS: ',' }],
  ['KEYWARD_OIDC_CLOCK_TOLERANCE_SECONDS', { KEYWARD_OIDC_CLOCK_TOLERANCE_SECONDS: '301' }],
  ['KEYWARD_USAGE_RECORD_DAYS', { KEYWARD_USAGE_RECORD_DAYS: '0' }],
  ['KEYWARD_USAGE_COUNT_DAYS', { KEYWARD_USAGE_COUNT_DAYS: '3651' }],
  ['KEYWARD_INTROSPECTION', { KEYWARD_INTROSPECTION: 'sometimes' }],
  ['KEYWARD_SDL_ACCESS_DIRECTIVES', { KEYWARD_SDL_ACCESS_DIRECTIVES: 'no' }],
  ['KEYWARD_CORS_ORIGINS', { KEYWARD_CORS_ORIGINS: 'https://app.example.com/' }],
  ['KEYWARD_CORS_ORIGINS', { KEYWARD_CORS_ORIGINS: '*' }],
  ['KEYWARD_TRUST_PROXY', { KEYWARD_TRUST_PROXY: 'my-proxy' }],
  ['KEYWARD_TRUST_PROXY', { KEYWARD_TRUST_PROXY: '10.0.0.0/33' }],
  ['KEYWARD_METRICS_PORT', { KEYWARD_METRICS_PORT: 'on' }],
  ['KEYWARD_METRICS_PORT', { PORT: '9464', KEYWARD_METRICS_PORT: '9464' }],
  ['KEYWARD_METRICS_TOKEN', { KEYWARD_METRICS_TOKEN: 'short' }],
  ['KEYWARD_METRICS_TOKEN', { KEYWARD_METRICS_TOKEN: pepper }],
  ['KEYWARD_OTLP_ENDPOINT', { KEYWARD_OTLP_ENDPOINT: 'localhost:4318' }],
  ['KEYWARD_OTLP_ENDPOINT', { KEYWARD_OTLP_ENDPOINT: 'grpc://localhost:4317' }],
  ['KEYWARD_LOG_LEVEL', { KEYWARD_LOG_LEVEL: 'loud' }],
  ['KEYWARD_SHUTDOWN_TIMEOUT_MS', { KEYWARD_SHUTDOWN_TIMEOUT_MS: '60000' }],
])('a bad %s is refused by a sentence that names it', (name, environment) => {
  expect(() => readConfig(environment)).toThrow(SettingError);
  expect(() => readConfig(environment)).toThrow(new RegExp(`^${name}: .+\\.$`));
});

test('a password in the URL of an identity provider is refused, and not repeated', () => {
  for (const scheme of ['https', 'http']) {
    const given = {
      ...oidc,
      KEYWARD_OIDC_JWKS_URL: `${scheme}://me:hunter2@login.example.com/keys`,
    };
    expect(() => readConfig(given)).toThrow(/^KEYWARD_OIDC_JWKS_URL: must hold no user name/);
    expect(() => readConfig(given)).not.toThrow(/hunter2/);
  }
});

test('people are off until an issuer is set; then tokens are judged by the provider’s own words', () => {
  expect(readConfig({}).oidc).toBeUndefined();
  expect(readConfig(oidc).oidc).toEqual({
    issuer: 'https://login.example.com',
    audience: 'https://keys.example.com',
    jwksUrl: undefined,
    algorithms: ['RS256', 'ES256'],
    clockToleranceSeconds: 5,
    claims: { organization: 'org_id', organizationName: 'org_name', role: 'role', plan: 'plan' },
  });
  const local = { ...oidc, KEYWARD_OIDC_ISSUER: 'http://localhost:8080/realms/acme' };
  expect(readConfig(local).oidc?.issuer).toBe('http://localhost:8080/realms/acme');
});

test('metrics and traces are off unless they are asked for', () => {
  expect(readConfig({})).toMatchObject({ metrics: undefined, tracesUrl: undefined });
});

test.each([
  ['http://localhost:4318', 'http://localhost:4318/v1/traces'],
  ['https://otel.example.com/keyward/', 'https://otel.example.com/keyward/v1/traces'],
  ['https://otel.example.com/v1/traces', 'https://otel.example.com/v1/traces'],
])('traces for the collector %s go to %s', (KEYWARD_OTLP_ENDPOINT, url) => {
  expect(readConfig({ KEYWARD_OTLP_ENDPOINT }).tracesUrl).toBe(url);
});

test('a pepper is named by what it is, whatever its place in the list', () => {
  const other = `${pepper} and another`;
  const [first, second] = readConfig({ KEYWARD_PEPPERS: `${pepper}, ${other}` }).peppers;
  const [alone] = readConfig({ KEYWARD_PEPPERS: other }).peppers;
  expect(second).toEqual(alone);
  expect(first?.id).not.toBe(second?.id);
});

function tableIn(text: string, heading: string): string[] {
  const section = text.slice(text.indexOf(heading));
  return section
    .slice(0, section.indexOf('\n## ', 1))
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.replaceAll(/ +/g, ' '));
}
