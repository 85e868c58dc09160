import { connect, type Socket } from 'node:net';

/**
 * A kept-alive connection that POSTs one GraphQL request after the other and reads no more of an
 * answer than its status: cheap enough to send a hundred thousand.
 */
export class HttpLine {
  readonly #socket: Socket;
  #received = '';
  #tell: (status: number | undefined) => void = () => {};

  constructor(private readonly url: URL) {
    this.#socket = connect(Number(url.port), url.hostname)
      .setNoDelay()
      .setEncoding('latin1')
      .on('data', (text: string) => this.#read(text))
      .on('error', () => {}) // always followed by `close`
      .on('close', () => this.#tell(undefined));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** The status; undefined when the connection ended before the whole answer was read. */
  async post(key: string, requestId: string, query: string): Promise<number | undefined> {
    const body = JSON.stringify({ query });
    return new Promise((resolve) => {
      this.#tell = resolve;
      if (!this.isOpen) resolve(undefined);
      this.#socket.write(
        `POST ${this.url.pathname} HTTP/1.1\r\nhost: ${this.url.host}\r\n` +
          `authorization: Bearer ${key}\r\nx-request-id: ${requestId}\r\n` +
          `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#received += text;
    const bodyAt = this.#received.indexOf('\r\n\r\n') + 4;
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(this.#received)?.[1];
    if (length === undefined || this.#received.length < bodyAt + Number(length)) return;
    const status = Number(this.#received.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
    this.#received = '';
    this.#tell(status);
  }
}
