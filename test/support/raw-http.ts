import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { AnswerError } from './http';

/** A request as it goes over the wire: headers may repeat, the body may be any bytes. */
export interface RawRequest {
  readonly method?: string;
  /** Path and query, as they are. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

/** The answer to it. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, read as a GraphQL response. */
  readonly body: { readonly data?: unknown; readonly errors?: readonly AnswerError[] };
}

/** Sends a request without anything of a client's own. */
export async function send(url: string, asked: RawRequest): Promise<RawAnswer> {
  const { hostname, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const { method = 'POST', path = pathname, headers = {}, body } = asked;
    const sent = request({ hostname, port, method, path, headers }, (response) => {
      buffer(response).then((bytes) => {
        const text = bytes.toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          get body() {
            return JSON.parse(text) as RawAnswer['body']; // what a GraphQL server answers with
          },
        });
      }, reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** POSTs a GraphQL request whose JSON is written by hand. */
export async function sendJson(
  url: string,
  body: string | Buffer,
  headers: RawRequest['headers'] = {},
): Promise<RawAnswer> {
  return send(url, { headers: { 'content-type': 'application/json', ...headers }, body });
}
