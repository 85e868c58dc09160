import {
  ApolloGateway,
  RemoteGraphQLDataSource,
  type GraphQLDataSourceProcessOptions,
} from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { buildSdl } from '../../src/app/sdl';
import { deploymentsSdl, serve } from '../support/deployments-subgraph';
import { compose, startSupergraph, type Gateway, type TestSupergraph } from '../support/supergraph';
import { holdsBehindAnyGateway, refusesRevokedKeys } from './any-gateway';

let supergraph: TestSupergraph;
beforeAll(async () => {
  supergraph = await startSupergraph(startApolloGateway, { KEYWARD_SDL_ACCESS_DIRECTIVES: 'off' });
});
afterAll(async () => supergraph.stop());

interface GatewayContext {
  readonly authorization?: string | undefined;
}

class ForwardingDataSource extends RemoteGraphQLDataSource<GatewayContext> {
  override willSendRequest(options: GraphQLDataSourceProcessOptions<GatewayContext>): void {
    const { request, context }: { request: typeof options.request; context: GatewayContext } =
      options;
    if (context.authorization === undefined) return;
    request.http?.headers.set('authorization', context.authorization);
  }
}

async function startApolloGateway(supergraphSdl: string): Promise<Gateway> {
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ url = '' }) => new ForwardingDataSource({ url }),
  });
  const apollo = new ApolloServer<GatewayContext>({ gateway, stopOnTerminationSignals: false });
  await apollo.start();
  return serve(apollo, async (headers) => ({ authorization: headers.get('authorization') }));
}

describe('@apollo/gateway', () => {
  holdsBehindAnyGateway(() => supergraph);
  refusesRevokedKeys(() => supergraph, {
    response: {
      status: 401,
      body: { errors: [{ extensions: { code: 'UNAUTHENTICATED', reason: 'REVOKED' } }] },
    },
  });

  test('runs the supergraph without the access directives, and refuses the one with them', async () => {
    expect(supergraph.supergraphSdl).not.toMatch(/@(authenticated|requiresScopes)|for: SECURITY/);
    const withDirectives = compose([
      {
        name: 'keyward',
        url: 'http://keyward.example.com/graphql',
        sdl: await buildSdl({ accessDirectives: true }),
      },
      {
        name: 'deployments',
        url: 'http://deployments.example.com/graphql',
        sdl: deploymentsSdl,
      },
    ]);
    await expect(startApolloGateway(withDirectives)).rejects.toThrow(
      'is for: SECURITY but is unsupported',
    );
  });

  // Keyward answers these with HTTP 401 and 403. @apollo/gateway puts an error of its own in the
  // place of Keyward's, without a path, and shows Keyward's answer under `extensions.response`.
  test.each([
    ['INSUFFICIENT_SCOPE', 403, 'FORBIDDEN', { missingScopes: [['api_keys:read']] }],
    ['UNAUTHENTICATED', 401, 'UNAUTHENTICATED', {}],
  ])(
    'tells the client why a field was refused (%s), beside the rest',
    async (reason, refusal, gatewayCode, details) => {
      const { keyward, deployments, ask } = supergraph;
      const { id, secret } = await keyward.createKey();
      const { status, data, errors } = await ask(
        'query ($ids: [ID!]!) { apiKeys { nodes { name } } deployments(ids: $ids) { name } }',
        { ids: [deployments.deploy('public', id)] },
        { key: reason === 'UNAUTHENTICATED' ? null : secret },
      );
      expect(status).toBe(200);
      expect(data).toEqual({ apiKeys: null, deployments: [{ name: 'public' }] });
      const code = 'UNAUTHORIZED_FIELD_OR_TYPE';
      const body = { errors: [{ path: ['apiKeys'], extensions: { code, reason, ...details } }] };
      const extensions = { code: gatewayCode, response: { status: refusal, body } };
      expect(errors).toMatchObject([{ extensions }]);
    },
  );

  test('tells the client so as of any error when another field of Keyward is answered', async () => {
    const { keyward, ask } = supergraph;
    const { secret } = await keyward.createKey();
    const query = '{ viewer { kind } apiKeys { nodes { name } } }';
    const { data, errors } = await ask(query, {}, { key: secret });
    expect(data).toEqual({ viewer: { kind: 'API_KEY' }, apiKeys: null });
    const extensions = { code: 'UNAUTHORIZED_FIELD_OR_TYPE', reason: 'INSUFFICIENT_SCOPE' };
    expect(errors).toMatchObject([{ path: ['apiKeys'], extensions }]);
  });
});
