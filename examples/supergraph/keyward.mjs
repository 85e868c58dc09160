// Keyward as operators run it: a process that serves, and a command line beside it.
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const program = pathOf('../../bin/keyward.js');
const env = {
  KEYWARD_CONFIG: pathOf('keyward.json'),
  KEYWARD_DATA_DIR: '.keyward/supergraph',
  ...process.env,
  PORT: '0', // any that is free
};

/** Starts Keyward, on an embedded PostgreSQL unless DATABASE_URL names another; its URL. */
export async function startKeyward() {
  const server = spawn(process.execPath, [program, 'serve'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.on('exit', () => server.kill());
  for await (const line of createInterface(server.stdout)) {
    const url = /^Keyward is ready: (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('Keyward did not start.');
}

/** Creates a key that works for a day, and its organization if there is none yet; the secret. */
export async function createKey(organization, name, scope) {
  await keyward('organizations', 'create', '--name', organization).catch(({ stderr }) => {
    if (!/already/.test(stderr)) throw new Error(stderr);
  });
  const { stdout } = await keyward(
    ...['keys', 'create', '--organization', organization],
    ...['--name', name, '--scope', scope, '--expires-in', 'P1D'],
  );
  return stdout.trim();
}

function keyward(...commandLine) {
  return promisify(execFile)(process.execPath, [program, ...commandLine], { env });
}
