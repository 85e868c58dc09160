import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startTestKeyward } from '../support/keyward';
import { graphql } from '../support/http';
import { until } from '../support/process';

const run = promisify(execFile);
const root = join(__dirname, '..', '..');

/** A folder with the package as npm packs it; what the package needs is found in our own node_modules. */
let folder: string;
beforeAll(async () => {
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, 'node_modules', '.cache', 'keyward-package-'));
  const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', packing, { cwd: root });
  const [packed] = JSON.parse(stdout) as { filename: string }[]; // npm says so
  const installed = join(folder, 'node_modules', 'keyward');
  mkdirSync(installed, { recursive: true });
  const tarball = join(folder, packed?.filename ?? '');
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
});
afterAll(async () => rm(folder, { recursive: true }));

/** What a program prints that uses the installed package. */
async function printed(name: string, program: string): Promise<string> {
  writeFileSync(join(folder, name), program);
  const { stdout, stderr } = await run(process.execPath, [name], { cwd: folder });
  return (stdout + stderr).trim();
}

test('the packed package is imported by ES modules and required by CommonJS, as the same functions', async () => {
  const program = `
    import { createRequire } from 'node:module';
    import { enforceScopes, keywardContext } from 'keyward';
    import { useKeyward } from 'keyward/hive-gateway';
    const require = createRequire(import.meta.url);
    const required = { ...require('keyward'), ...require('keyward/hive-gateway') };
    console.log([enforceScopes, keywardContext, useKeyward].every((each) => typeof each === 'function'));
    console.log(Object.entries({ enforceScopes, keywardContext, useKeyward })
      .every(([name, each]) => required[name] === each));`;
  expect(await printed('import.mjs', program)).toBe('true\ntrue');
});

test('the plugin loads graphql and zod, and nothing of the server', async () => {
  const program = `
    require('keyward');
    require('keyward/hive-gateway');
    const packages = Object.keys(require.cache)
      .filter((path) => path !== __filename)
      .map((path) => path.split('/node_modules/').at(-1).match(/^(@[^/]+\\/)?[^/]+/)[0]);
    console.log([...new Set(packages)].sort().join());`;
  expect(await printed('load.cjs', program)).toBe('graphql,keyward,zod');
});

test('the operators of a service are warned why Keyward cannot be asked', async () => {
  const program = `
    import { keywardContext } from 'keyward';
    const url = 'http://127.0.0.1:65535'; // where nobody listens
    const context = keywardContext({ url, key: 'a-key', service: 'contacts' });
    const request = { headers: new Headers({ authorization: 'Bearer a-secret' }) };
    await context({ request }).catch(({ extensions }) => console.log(extensions.code));`;
  const text = await printed('warn.mjs', program);
  expect(text).toMatch(/^UNAVAILABLE\n.*Warning: Keyward cannot be asked: .*ECONNREFUSED/s);
  expect(text).not.toMatch(/a-key|a-secret/);
});

describe('the README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('## In your subgraphs and gateways'));
  const examples = [...section.matchAll(/```(js|ts)\n([\s\S]*?)```/g)].map(
    ([, , code = '']) => code,
  );

  test('shows a subgraph that runs as it stands there', async () => {
    const keyward = await startTestKeyward();
    const verifier = await keyward.createKey({ scopes: ['api_keys:verify'] });
    const { id, secret } = await keyward.createKey({ scopes: ['contacts:read'] });
    writeFileSync(join(folder, 'subgraph.mjs'), examples[0] ?? '');
    const env = { KEYWARD_URL: keyward.url, KEYWARD_KEY: verifier.secret, PORT: '0' };
    const subgraph: ChildProcess = spawn(process.execPath, ['subgraph.mjs'], { cwd: folder, env });
    let said = '';
    for (const stream of [subgraph.stdout, subgraph.stderr]) {
      stream?.on('data', (bytes: Buffer) => (said += bytes.toString()));
    }
    try {
      await until('the subgraph is ready', () => /http:\/\/\S+/.test(said));
      const url = /http:\/\/\S+/.exec(said)?.[0] ?? '';
      const query = '{ contacts }';
      const [allowed, refused] = [secret, verifier.secret].map(async (key) =>
        graphql<{ contacts: unknown }>(url, { query }, { key }),
      );
      expect((await allowed)?.data).toEqual({ contacts: [`read with ${id}`] });
      expect((await refused)?.errors).toMatchObject([
        { extensions: { reason: 'INSUFFICIENT_SCOPE', missingScopes: [['contacts:read']] } },
      ]);
    } finally {
      subgraph.kill('SIGKILL');
      await keyward.stop();
    }
  });
});
