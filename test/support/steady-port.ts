import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Systems give higher ones to whoever asks for any: Linux from 32,768 on, others from 49,152 on. */
const ports = { from: 10_000, to: 32_768 };

/**
 * A free port of 127.0.0.1 that stays free until it is used, and between two uses: other tests ask
 * the system for any port, and never get this one.
 */
export async function steadyPort(): Promise<number> {
  for (;;) {
    const port = randomInt(ports.from, ports.to);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
