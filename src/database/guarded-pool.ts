import pg from 'pg';

/** A connection that can be cut at once, without asking a server that may not answer. */
class CuttableClient extends pg.Client {
  /** Destroys the socket: queries in flight fail. */
  cut(): void {
    this.connection.stream.destroy();
  }
}

/** Why an idle connection ended that Keyward itself has cut. */
export class ConnectionCut extends Error {
  constructor() {
    super('Connection terminated by Keyward');
  }
}

/**
 * A `pg` pool whose connections can be cut: one, when a query on it was given up (the pool would
 * hand it out again with the old answer still to come), or many, when the server became read-only
 * or silent. A connection that was cut is not handed out any more, from that very moment.
 */
export class GuardedPool extends pg.Pool {
  readonly #clients = new Set<pg.PoolClient>();
  readonly #idle = new Set<unknown>();

  constructor(config?: pg.PoolConfig) {
    super({ ...config, Client: CuttableClient });
    this.on('connect', (client) => {
      this.#clients.add(client);
      // A connection cut while it is handed out reports here; its query fails with the same error.
      client.on('error', () => undefined);
    });
    this.on('acquire', (client) => this.#idle.delete(client));
    this.on('release', (_error, client) => this.#idle.add(client));
    this.on('remove', (client) => {
      this.#clients.delete(client);
      this.#idle.delete(client);
    });
  }

  /** Cuts one connection. */
  cut(client: unknown): void {
    if (!(client instanceof CuttableClient)) return;
    // Both make the pool drop it now, while the socket's own end is noticed a moment later.
    if (this.#idle.has(client)) client.emit('error', new ConnectionCut());
    else client.end().catch(() => undefined);
    client.cut();
  }

  /** Cuts every connection that no query is using; new queries get new ones. */
  cutIdle(): void {
    for (const client of this.#idle) this.cut(client);
  }

  /** Cuts every connection; new queries get new ones. */
  cutAll(): void {
    for (const client of this.#clients) this.cut(client);
  }
}
