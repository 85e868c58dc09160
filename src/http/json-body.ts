import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InputError } from '../kernel/errors';
import { countJsonValues } from './json-values';

/** The longest body that is read. */
export const maxBodyBytes = 1024 * 1024;

/** The most items and members that a body may hold, however deep; many more than a limit lets pass. */
const maxValues = 10_000;

/** A body in a form that Keyward does not read: HTTP 415. */
export class MediaTypeError extends Error {
  readonly statusCode = 415;

  constructor(expected = 'application/json') {
    super(`Send the body as ${expected}, in UTF-8 and not compressed.`);
  }
}

/**
 * Reads JSON bodies as RFC 8259 has them: in UTF-8, which is checked, since a decoder would put
 * replacement characters into what a client wants stored. Members named `__proto__` are refused.
 */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'ignore');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (!isPlainUtf8(request)) done(new MediaTypeError());
      else if (!isUtf8(body)) done(new InputError('body', 'The body is not valid UTF-8.'));
      else if (countJsonValues(body, maxValues) > maxValues) done(tooManyValues());
      else {
        void parse(request, body.toString(), (error, value) => {
          done(error === null ? null : invalidJson(body), value);
        });
      }
    },
  );
  app.addContentTypeParser('*', (_request, _payload, done) => done(new MediaTypeError()));
}

function isPlainUtf8({ headers }: FastifyRequest): boolean {
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  const encoding = headers['content-encoding'] ?? 'identity';
  return /^utf-?8$/i.test(charset) && encoding.toLowerCase() === 'identity';
}

function tooManyValues(): InputError {
  return new InputError(
    'body',
    `The body holds too many values: ${maxValues} are allowed. Send shorter lists and smaller objects.`,
  );
}

function invalidJson(body: Buffer): InputError {
  if (body.length === 0) return new InputError('body', 'The body is empty; send a JSON object.');
  return new InputError(
    'body',
    'The body is not JSON that can be read. Check its syntax, and name no member "__proto__".',
  );
}
