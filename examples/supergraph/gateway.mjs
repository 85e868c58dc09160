// The gateway: composes what the services say of themselves into one supergraph, and has Keyward
// judge each request before a service is asked.
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import http from '@graphql-mesh/transport-http';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { useKeyward } from 'keyward/hive-gateway';
import { listen } from './listen.mjs';

/** Starts Hive Gateway before these services, which it knows by name and URL. */
export async function startGateway(services, port, keyward) {
  const gateway = createGatewayRuntime({
    supergraph: await compose(services),
    transports: { http },
    plugins: () => [useKeyward({ ...keyward, service: 'gateway' })],
    // The services judge the key themselves, too: the gateway spares them work, not their decision.
    propagateHeaders: {
      fromClientToSubgraphs({ request }) {
        const authorization = request.headers.get('authorization');
        return authorization === null ? {} : { authorization };
      },
    },
    logging: false,
  });
  return listen(gateway, port);
}

async function compose(services) {
  const subgraphs = Object.entries(services).map(async ([name, url]) => ({
    name,
    url,
    typeDefs: parse(await readSdl(url)),
  }));
  const { supergraphSdl, errors = [] } = composeServices(await Promise.all(subgraphs));
  if (supergraphSdl === undefined) throw new Error(errors.map(({ message }) => message).join('\n'));
  return supergraphSdl;
}

async function readSdl(url) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ _service { sdl } }' }),
  });
  const { data } = await response.json();
  return data._service.sdl;
}
