import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** A link to a server that can be broken in the ways links break. */
export interface Proxy {
  /** The URL with this link's address in the place of the server's. */
  readonly url: string;
  /** How many clients are connected at this moment. */
  readonly connections: number;
  /** Breaks every connection at once, as a server's crash does. */
  cut(): void;
  /** From now on refuses new connections, or no longer. */
  refuse(refusing: boolean): void;
  /** From now on forwards nothing and keeps every socket open, or forwards again. */
  freeze(frozen: boolean): void;
  /**
   * Breaks the connection over which the COMMIT is answered of the next transaction that sends this
   * text, before the answer comes through. Others go on: servers have work of their own to commit.
   */
  loseCommit(text: string): void;
  close(): void;
}

/** Starts a link to the server of that URL. */
export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const links = new Set<readonly [Socket, Socket]>();
  let refusing = false;
  let frozen = false;
  let losing: string | undefined;
  const server = createServer((client) => {
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = createConnection({ host: hostname, port: Number(port) });
    const link = [client, upstream] as const;
    let isLost = false;
    links.add(link);
    join(client, upstream);
    join(upstream, client);
    if (frozen) for (const socket of link) socket.pause();

    function join(from: Socket, to: Socket): void {
      // While frozen this may still be called with what had been read before.
      from.on('data', (bytes) => {
        if (from === client && losing !== undefined && bytes.includes(losing)) {
          losing = undefined;
          isLost = true;
        }
        if (from === upstream && isLost && bytes.includes('COMMIT\0')) {
          client.resetAndDestroy();
          upstream.destroy();
        } else to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        links.delete(link);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port); // it listens on TCP
  const cut = (): void => {
    for (const [client, upstream] of links) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  return {
    url: url.href,
    get connections() {
      return links.size;
    },
    cut,
    refuse: (now) => (refusing = now),
    freeze: (now) => {
      frozen = now;
      for (const socket of [...links].flat()) {
        if (now) socket.pause();
        else socket.resume();
      }
    },
    loseCommit: (text) => (losing = text),
    close: () => {
      cut();
      server.close();
    },
  };
}
