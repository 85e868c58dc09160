import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { close, listen } from './deployments-subgraph';

/** A request that passed by. */
interface RecordedRequest {
  readonly path: string;
  /** Empty: it had none. */
  readonly body: string;
  /** The client's port: another one is another connection. */
  readonly port: number | undefined;
}

/** A link to an HTTP server that writes down the requests it passes on. */
export interface Recorder {
  /** The URL with this link's address in the place of the server's. */
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** Forgets the requests. */
  clear(): void;
  /** From now on holds requests back; what is returned lets them go on. */
  hold(): () => void;
  stop(): Promise<void>;
}

/** Starts a link to the server of that URL. */
export async function startRecorder(target: string): Promise<Recorder> {
  const requests: RecordedRequest[] = [];
  let held = Promise.resolve();
  const http = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const path = request.url ?? '';
      requests.push({ path, body, port: request.socket.remotePort });
      await held;
      const answer = await fetch(new URL(path, target), {
        method: request.method ?? 'GET',
        headers: forwarded(request.headers),
        ...(body !== '' && { body }),
      });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(await answer.text());
    })().catch(() => response.destroy());
  });
  const url = new URL(await listen(http));
  url.pathname = new URL(target).pathname;
  return {
    url: url.href,
    requests,
    clear: () => requests.splice(0),
    hold() {
      let release = (): void => undefined;
      held = new Promise((resolve) => (release = resolve));
      return release;
    },
    stop: async () => close(http),
  };
}

function forwarded(headers: IncomingHttpHeaders): Record<string, string> {
  const names = ['authorization', 'accept', 'content-type', 'user-agent'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
}
