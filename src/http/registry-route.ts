import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { newJournal } from '../graphql/context';
import { requireScopes } from '../graphql/scope-directive';
import type { Logger } from '../kernel/logger';
import { requireKnown } from '../kernel/principal';
import type { RegistryService } from '../keys/registry.service';
import { registryFormats, type RegistryFormatName } from '../keys/registry-text';
import { callerOf } from './client';
import { authenticate, type GraphqlRouteParts } from './graphql-route';

/** What the registry's endpoints need of others. */
export interface RegistryRouteParts extends Pick<GraphqlRouteParts, 'authenticator'> {
  readonly registry: RegistryService;
  readonly logger: Logger;
}

/** Serves the key registry of the caller's organization as files, with `api_keys:read`. */
export function serveRegistry(app: FastifyInstance, parts: RegistryRouteParts): void {
  for (const name of ['csv', 'json'] as const) serveFormat(app, name, parts);
}

function serveFormat(
  app: FastifyInstance,
  name: RegistryFormatName,
  parts: RegistryRouteParts,
): void {
  const file = `registry.${name}`;
  const { contentType, write } = registryFormats[name];
  app.get(`/${file}`, async (request, reply) => {
    const journal = newJournal(file);
    const principal = await authenticate(request, reply, journal, parts);
    const caller = callerOf(principal, request);
    requireScopes({ caller, journal }, [[['api_keys:read']]]);
    const batches = parts.registry.batches(requireKnown(principal));
    // While nothing has left yet, a database that cannot be asked is still a plain 503.
    const text = Readable.from(write(await begun(batches)), { objectMode: false });
    text.on('error', (error) => {
      parts.logger.warn({ err: error, requestId: request.id }, 'an export was broken off');
    });
    return reply
      .type(contentType)
      .header('content-disposition', `attachment; filename="${file}"`)
      .send(text);
  });
}

/** The same values, the first of them awaited already. */
async function begun<Value>(values: AsyncGenerator<Value>): Promise<AsyncGenerator<Value>> {
  const first = await values.next();
  return (async function* () {
    if (first.done === true) return;
    yield first.value;
    yield* values;
  })();
}
