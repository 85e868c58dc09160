import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * Serves a GraphQL server over HTTP; its URL.
 * @param {import('node:http').RequestListener} handler
 */
export async function listen(handler, port = 0) {
  const server = createServer(handler).listen(port);
  await once(server, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address()); // TCP
  return `http://localhost:${address.port}/graphql`;
}
