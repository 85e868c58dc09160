import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long starts took until Keyward said that it is ready, in milliseconds. */
export interface Starts {
  /** On an empty folder: the database is made, and the first key. */
  readonly first: readonly number[];
  /** On what a first start left. */
  readonly later: readonly number[];
}

/** Starts Keyward as `npm start` does, on embedded databases of its own, over and over. */
export async function measureStarts(rounds: number): Promise<Starts> {
  const first: number[] = [];
  const later: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const directory = await mkdtemp(join(tmpdir(), 'keyward-bench-'));
    await chmod(directory, 0o755); // as root, another user runs PostgreSQL in it
    try {
      first.push(await startOnce(directory));
      later.push(await startOnce(directory));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  return { first, later };
}

async function startOnce(directory: string): Promise<number> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [join('dist', 'main.js')], {
    env: { ...process.env, KEYWARD_DATA_DIR: directory, DATABASE_URL: '', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    said += String(text);
    if (said.includes('Keyward is ready')) break;
  }
  const tookMs = performance.now() - startedAtMs;
  if (!said.includes('Keyward is ready')) throw new Error('Keyward did not start');
  child.kill('SIGTERM');
  await ended;
  return tookMs;
}
