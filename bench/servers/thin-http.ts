import 'reflect-metadata';
import { createServer, type IncomingMessage } from 'node:http';
import { HeaderMap, type ApolloServer } from '@apollo/server';
import { openFoundation } from '../../src/app/foundation';
import { createRooms } from '../../src/app/rooms';
import { Authenticator } from '../../src/auth/authentication';
import { parseCredentials } from '../../src/kernel/credentials';
import { createApollo } from '../../src/graphql/apollo';
import { newJournal, type RequestContext } from '../../src/graphql/context';
import { createSchema } from '../../src/graphql/schema';
import { answerTo } from '../../src/http/error-answer';
import { finishAnswer } from '../../src/http/finish-answer';
import { requestIdOf } from '../../src/http/request-id';
import { securityHeaders } from '../../src/http/security-headers';
import { AuthenticationError, InputError } from '../../src/kernel/errors';
import { createLogger } from '../../src/kernel/logger';
import type { UsageService } from '../../src/usage/usage.service';
import { benchConfig, tellUrl } from './ready';

// Nothing but what the comparison asks of it: one JSON POST, one key, its usage, one answer.

interface Parts {
  readonly apollo: ApolloServer<RequestContext>;
  readonly authenticator: Authenticator;
  readonly usage: UsageService;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const everyAnswer = { ...securityHeaders(), 'cache-control': 'no-store' };

async function answer(request: IncomingMessage, requestId: string, parts: Parts): Promise<Answer> {
  const startedAtMs = performance.now();
  const json = request.headers['content-type']?.startsWith('application/json') === true;
  if (request.method !== 'POST' || !json) throw new InputError('query', 'POST JSON.');
  const text = await readText(request);
  const credentials = parseCredentials(request.rawHeaders);
  if (credentials.kind !== 'bearer') throw new AuthenticationError('MALFORMED');
  const ip = request.socket.remoteAddress ?? null;
  const result = await parts.authenticator.authenticate(credentials, { requestId, ip });
  if (result.kind !== 'key') throw new AuthenticationError('UNKNOWN');
  const journal = newJournal();
  const headers = new HeaderMap([['content-type', 'application/json']]);
  const caller = { principal: result.principal, requestId, ip };
  const answered = await parts.apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: { method: 'POST', headers, search: '', body: JSON.parse(text) as unknown },
    context: async () => Promise.resolve({ caller, journal }),
  });
  const { status, body, headers: answeredHeaders } = finishAnswer(answered, requestId);
  if (body.kind !== 'complete') throw new Error('in pieces');
  await parts.usage.record([
    {
      organizationId: result.key.organizationId,
      apiKeyId: result.key.id,
      requestId,
      at: result.key.checkedAt,
      service: 'keyward',
      operation: journal.operation,
      outcome: 'VALID',
      ip,
      userAgent: request.headers['user-agent'] ?? null,
      durationMs: Math.round(performance.now() - startedAtMs),
    },
  ]);
  const type = answeredHeaders.get('content-type') ?? '';
  return { status: status ?? 200, type, body: body.string };
}

async function readText(request: IncomingMessage): Promise<string> {
  request.setEncoding('utf8');
  let text = '';
  return new Promise((resolve, reject) => {
    request.on('data', (part: string) => (text += part));
    request.on('end', () => resolve(text));
    request.on('error', reject);
  });
}

/** Keyward's own pieces behind a bare node:http server: what fastify costs is the difference. */
async function main(): Promise<void> {
  const logger = createLogger('error');
  const config = benchConfig();
  const { database, peppers } = await openFoundation(config, logger);
  const { product, introspection } = config;
  const rooms = createRooms({ database, peppers, product, logger });
  const schema = await createSchema(rooms.schema, product.catalogue);
  const apollo = createApollo({ schema, introspection, logger });
  await apollo.start();
  await rooms.usage.prepare();
  const { verification } = rooms;
  const { catalogue } = product;
  const authenticator = new Authenticator({ verification, catalogue, people: undefined });
  const parts = { apollo, authenticator, usage: rooms.usage };
  const server = createServer((request, response) => {
    const id = requestIdOf(request);
    void answer(request, id, parts)
      .catch((error: unknown) => ({ ...answerTo(error, id), type: 'application/json' }))
      .then(({ status, type, body }) => {
        response.writeHead(status, {
          ...everyAnswer,
          'x-request-id': id,
          'content-type': type,
          'content-length': Buffer.byteLength(body),
        });
        response.end(body);
      });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object') tellUrl(`http://127.0.0.1:${address?.port ?? 0}/graphql`);
  });
  process.on('SIGTERM', () => process.exit(0));
}

void main();
