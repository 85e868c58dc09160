import { createServer } from 'node:http';
import { createGatewayRuntime, type GatewayPlugin } from '@graphql-hive/gateway-runtime';
import http from '@graphql-mesh/transport-http';
import { close, listen } from './deployments-subgraph';
import type { Gateway } from './supergraph';

/** Starts Hive Gateway on a socket; it forwards the Authorization header to every subgraph. */
export async function startHiveGateway(
  supergraphSdl: string,
  ...plugins: GatewayPlugin[]
): Promise<Gateway> {
  const runtime = createGatewayRuntime({
    supergraph: supergraphSdl,
    transports: { http },
    propagateHeaders: {
      fromClientToSubgraphs({ request }) {
        const authorization = request.headers.get('authorization');
        return authorization === null ? {} : { authorization };
      },
    },
    plugins: () => plugins,
    logging: false,
  });
  const server = createServer((request, response) => void runtime(request, response));
  const url = await listen(server);
  return {
    url,
    async stop() {
      await close(server);
      await runtime[Symbol.asyncDispose]();
    },
  };
}
