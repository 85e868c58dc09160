import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { until } from './process';
import { send } from './raw-http';
import { steadyPort } from './steady-port';

/** The NGINX of this machine, or undefined when it has none. */
export const nginxProgram = `${process.env.PATH ?? ''}${delimiter}/usr/sbin`
  .split(delimiter)
  .map((directory) => join(directory, 'nginx'))
  .find((path) => existsSync(path));

/** An NGINX that runs for one test file. */
export interface Nginx {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts an NGINX with a folder of its own and a configuration as the project shows it, in which
 * addresses are replaced: `{ '127.0.0.1:4000': '127.0.0.1:41234' }`.
 */
export async function startNginx(
  configuration: string,
  listen: string,
  addresses: Readonly<Record<string, string>>,
): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), 'keyward-nginx-'));
  const port = await steadyPort();
  let site = await readFile(configuration, 'utf8');
  for (const [shown, real] of Object.entries({
    ...addresses,
    [listen]: `listen ${String(port)};`,
  })) {
    if (!site.includes(shown)) throw new Error(`${configuration} does not say ${shown}`);
    site = site.replace(shown, real);
  }
  await writeFile(join(directory, 'site.conf'), site);
  await writeFile(join(directory, 'nginx.conf'), mainConfiguration(directory));
  const child = spawn(
    nginxProgram ?? '',
    ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  const url = `http://127.0.0.1:${String(port)}/`;
  await until('NGINX answers', async () => {
    if (child.exitCode !== null)
      throw new Error(await readFile(join(directory, 'error.log'), 'utf8'));
    return send(url, { method: 'GET' }).catch(() => undefined);
  });
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await rm(directory, { recursive: true });
    },
  };
}

function mainConfiguration(directory: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    daemon off;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    worker_processes 1;
    pid ${directory}/nginx.pid;
    events {}
    http {
      access_log off;
      ${kinds.map((kind) => `${kind}_temp_path ${directory}/${kind};`).join('\n')}
      include ${directory}/site.conf;
    }`;
}

/** A service that remembers the headers of what reached it. */
export interface Upstream {
  readonly address: string;
  readonly reached: IncomingHttpHeaders[];
  stop(): void;
}

/** Starts a service that answers everything with 200. */
export async function startUpstream(): Promise<Upstream> {
  const reached: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    reached.push(request.headers);
    request.resume().on('end', () => response.end('the service'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    ...{ address: `127.0.0.1:${String(port)}`, reached },
    stop: () => void server.close(),
  };
}
