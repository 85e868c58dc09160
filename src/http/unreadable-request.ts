import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { newUuid } from '../kernel/ids';

interface Complaint {
  readonly status: number;
  readonly message: string;
}

const notHttp: Complaint = { status: 400, message: 'The request is not valid HTTP/1.1.' };

const complaints = new Map<string | undefined, Complaint>([
  ['HPE_HEADER_OVERFLOW', { status: 431, message: 'The headers of the request are too large.' }],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    { status: 408, message: 'The request did not arrive whole in time.' },
  ],
]);

/** Answers, on the bare connection, what Node could not read as a request, and closes it. */
export function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { status, message } = complaints.get(error.code) ?? notHttp;
  const requestId = newUuid();
  const body = errorBody(message, requestId);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries(plainHeaders(requestId)).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

/** Answers a request whose URL has no route because it is none; no hook has seen it. */
export function refuseUrl(
  _error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const body = errorBody('The URL of the request is not valid.', request.id);
  void reply.code(400).headers(plainHeaders(request.id)).send(body);
}

/**
 * Has what Node would answer by itself, with an empty body and no request id, answered like any other
 * request. The server must be made with `requireHostHeader: false`.
 */
export function answerInsteadOfNode(app: FastifyInstance): void {
  // An expectation that nobody knows may be ignored (RFC 9110, section 10.1.1).
  app.server.on('checkExpectation', (request, response) => {
    app.server.emit('request', request, response);
  });
  app.addHook('onRequest', (request, reply, done) => {
    const { headers, httpVersion } = request.raw;
    if (headers.host !== undefined || httpVersion !== '1.1') {
      done();
      return;
    }
    const body = errorBody('HTTP/1.1 requests need a Host header.', request.id); // RFC 9112, section 3.2
    void reply.code(400).headers(plainHeaders(request.id)).send(body);
  });
}

function plainHeaders(requestId: string): Readonly<Record<string, string>> {
  return {
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-type': 'application/json; charset=utf-8',
  };
}

function errorBody(message: string, requestId: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code: 'BAD_REQUEST', requestId } }] });
}
