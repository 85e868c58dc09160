import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { startDeployments, type DeploymentsSubgraph } from './deployments-subgraph';
import { graphql } from './http';
import { startTestKeyward, type TestKeyward } from './keyward';

/** A subgraph as composition and gateways know it. */
export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
}

/** A gateway on a socket. */
export interface Gateway {
  readonly url: string;
  stop(): Promise<void>;
}

/** Keyward and the deployments subgraph behind a gateway, all of them on sockets. */
export interface TestSupergraph {
  readonly keyward: TestKeyward;
  readonly deployments: DeploymentsSubgraph;
  readonly supergraphSdl: string;
  /** Asks the gateway, as the admin unless another key (or null: none) is given. */
  readonly ask: TestKeyward['ask'];
  stop(): Promise<void>;
}

/** Composes the SDL that both subgraphs serve, and starts a gateway on the result. */
export async function startSupergraph(
  startGateway: (supergraphSdl: string) => Promise<Gateway>,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestSupergraph> {
  const keyward = await startTestKeyward(settings);
  const deployments = await startDeployments();
  const supergraphSdl = compose([
    { name: 'keyward', url: keyward.url, sdl: await readSdl(keyward.url) },
    { name: 'deployments', url: deployments.url, sdl: await readSdl(deployments.url) },
  ]);
  const gateway = await startGateway(supergraphSdl);
  return {
    keyward,
    deployments,
    supergraphSdl,
    ask: async (query, variables, asked = {}) =>
      graphql(gateway.url, { query, variables }, { key: keyward.adminKey, ...asked }),
    async stop() {
      await gateway.stop();
      await deployments.stop();
      await keyward.stop();
    },
  };
}

/** Composes subgraphs with Apollo's library; throws on errors and hints alike. */
export function compose(subgraphs: readonly Subgraph[]): string {
  const { errors, hints, supergraphSdl } = composeServices(
    subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })),
  );
  const problems = [...(errors ?? []), ...(hints ?? [])].map(({ message }) => message);
  if (supergraphSdl === undefined || problems.length > 0) throw new Error(problems.join('\n'));
  return supergraphSdl;
}

/** The SDL that a subgraph serves to those who compose. */
export async function readSdl(url: string): Promise<string> {
  const { data } = await graphql<{ _service: { sdl: string } }>(url, {
    query: '{ _service { sdl } }',
  });
  return data._service.sdl;
}
