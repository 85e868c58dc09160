// better-auth's API-key plugin on a pg pool, as its documentation has it, with 1,000 keys and a rate
// limit so high that it refuses nobody. Verifies in this process, as often as it is told to.
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { performance } from 'node:perf_hooks';
import pg from 'pg';

const options = {
  secret: 'a secret for the comparison only, of no worth',
  baseURL: 'http://127.0.0.1',
  logger: { disabled: true },
  telemetry: { enabled: false },
  database: new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 }),
  emailAndPassword: { enabled: true },
  plugins: [apiKey({ rateLimit: { maxRequests: 1_000_000_000 } })],
};
const auth = betterAuth(options);
await (await getMigrations(options)).runMigrations();
const { user } = await auth.api.signUpEmail({
  body: { email: 'bench@example.com', password: 'correct horse battery', name: 'Bench' },
});
const keys = [];
while (keys.length < 1000) {
  const { key } = await auth.api.createApiKey({ body: { userId: user.id, name: 'Bench' } });
  keys.push(key);
}

let next = 0;
async function loop(endAt) {
  let done = 0;
  while (performance.now() < endAt) {
    next += 1;
    const { valid, error } = await auth.api.verifyApiKey({ body: { key: keys[next % 1000] } });
    if (!valid) throw new Error(JSON.stringify(error));
    done += 1;
  }
  return done;
}

process.on('message', async ({ concurrency, milliseconds }) => {
  const startedAt = performance.now();
  const loops = Array.from({ length: concurrency }, () => loop(startedAt + milliseconds));
  const done = (await Promise.all(loops)).reduce((sum, each) => sum + each, 0);
  process.send({ rate: (done * 1000) / (performance.now() - startedAt) });
});
process.on('SIGTERM', () => process.exit(0));
process.send({ url: '' });
