// A real OpenID provider in a process of its own (oidc-provider is an ES module, which jest on
// Node 20 cannot load). Its parent hands it keys, and is told where it is:
//   {"jwks": …, "port": 9876}  →  {"issuer": "http://127.0.0.1:…"}    starts, or changes the keys
//   {"count": true}            →  {"keyRequests": 3}                  how often its keys were fetched
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

let answer = (request, response) => response.end();
let keyRequests = 0;
const server = createServer((request, response) => {
  if (request.url === '/jwks') keyRequests += 1;
  answer(request, response);
});

process.on('disconnect', () => process.exit());
process.on('message', async ({ jwks, port, count }) => {
  if (count) {
    process.send({ keyRequests });
    return;
  }
  if (!server.listening) await new Promise((done) => server.listen(port, '127.0.0.1', done));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  answer = new Provider(issuer, configuration(jwks)).callback();
  process.send({ issuer });
});

/** @returns {import('oidc-provider').Configuration} */
function configuration(jwks) {
  return {
    jwks,
    clients: [
      {
        client_id: 'app',
        client_secret: 'secret of the app',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (context, resource) => ({
          audience: resource,
          scope: '',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: context.get('x-algorithm') || 'RS256' } },
        }),
      },
    },
    // Who has signed in, and what their organization is, the test says in a header.
    formats: {
      customizers: {
        jwt: (context, token, { payload }) => {
          Object.assign(payload, JSON.parse(context.get('x-claims')));
        },
      },
    },
  };
}
