import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { MediaTypeError } from './json-body';

/** The longest form that is read. */
export const maxFormBytes = 16 * 1024;

/**
 * Reads bodies as HTML forms have them, and no others, on the routes of this scope. Their text is
 * passed on as it came.
 */
export function readFormBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<Buffer>(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    (_request, body, done) => {
      if (isUtf8(body)) done(null, body.toString());
      else done(new MediaTypeError('application/x-www-form-urlencoded'));
    },
  );
  scope.addContentTypeParser('*', (_request, _payload, done) => {
    done(new MediaTypeError('application/x-www-form-urlencoded'));
  });
}
