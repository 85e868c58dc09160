import pg from 'pg';

/** A connection that can be cut at once, without asking a server that may not answer. */
class CuttableClient extends pg.Client {
  /** Destroys the socket: queries in flight fail, and the pool does not take the connection back. */
  cut(): void {
    this.connection.stream.destroy();
  }
}

/**
 * A `pg` pool whose connections can be cut: one, when a query on it was given up (the pool would
 * hand it out again with the old answer still to come), or all, when the server became read-only.
 */
export class GuardedPool extends pg.Pool {
  readonly #clients = new Set<pg.PoolClient>();

  constructor(config?: pg.PoolConfig) {
    super({ ...config, Client: CuttableClient });
    this.on('connect', (client) => {
      this.#clients.add(client);
      // A connection cut while it is handed out reports here; its query fails with the same error.
      client.on('error', () => undefined);
    });
    this.on('remove', (client) => this.#clients.delete(client));
  }

  /** Cuts one connection. */
  cut(client: unknown): void {
    if (client instanceof CuttableClient) client.cut();
  }

  /** Cuts every connection; new queries get new ones. */
  cutAll(): void {
    for (const client of this.#clients) this.cut(client);
  }
}
