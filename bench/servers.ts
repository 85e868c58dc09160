import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { benchPepper } from './databases';

/** One of `bench/servers` in a process of its own. */
export interface ServerProcess {
  /** Where it serves, if it serves. */
  readonly url: string;
  /** Sends it a message and waits for the answer. */
  ask<Answer>(message: object): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts a server on a database; ours are compiled to `.js`, others' `.mjs` run where they lie. */
export async function startServerProcess(
  file: string,
  databaseUrl?: string,
): Promise<ServerProcess> {
  const ours = !file.endsWith('.mjs');
  const folder = ours ? __dirname : join(process.cwd(), 'bench');
  const child = fork(join(folder, 'servers', file), {
    execArgv: ours ? ['--max-semi-space-size=64'] : [], // as `npm start` has it
    env: {
      ...process.env,
      NODE_ENV: 'production',
      DATABASE_URL: databaseUrl,
      KEYWARD_PEPPERS: benchPepper.secret,
    },
  });
  const { url } = await nextMessage<{ url: string }>(child);
  return {
    url,
    async ask(message) {
      child.send(message);
      return nextMessage(child);
    },
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a server ended with ${code ?? ''}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as Message); // the caller knows the script it started
    });
  });
}
