import { startHiveGateway } from '../support/hive-gateway';
import { startSupergraph, type TestSupergraph } from '../support/supergraph';
import { holdsBehindAnyGateway } from './any-gateway';

let supergraph: TestSupergraph;
beforeAll(async () => {
  supergraph = await startSupergraph(startHiveGateway);
});
afterAll(async () => supergraph.stop());

describe('Hive Gateway', () => {
  holdsBehindAnyGateway(() => supergraph);

  test('runs the supergraph with the access directives', () => {
    expect(supergraph.supergraphSdl).toMatch(/@requiresScopes\(scopes: \[\["api_keys:read"\]\]\)/);
    expect(supergraph.supergraphSdl).toMatch(/for: SECURITY/);
  });

  // Keyward answers these with HTTP 401 and 403; Hive Gateway reads the body and answers with 200.
  test.each([
    ['INSUFFICIENT_SCOPE', { missingScopes: [['api_keys:read']] }],
    ['UNAUTHENTICATED', {}],
  ])('tells the client why a field was refused (%s), beside the rest', async (reason, details) => {
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
    expect(errors).toMatchObject([{ path: ['apiKeys'], extensions: { code, reason, ...details } }]);
  });

  test('refuses a revoked key at once and tells the client why', async () => {
    const { keyward, deployments, ask } = supergraph;
    const { id, secret } = await keyward.createKey();
    const variables = { ids: [deployments.deploy('leaked', id)] };
    const read = 'query ($ids: [ID!]!) { deployments(ids: $ids) { name key { name } } }';
    const before = await ask(read, variables, { key: secret });
    expect(before.errors).toEqual([]);

    await ask(
      'mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: COMPROMISED }) { apiKey { status } } }',
      { id },
    );
    const after = await ask(read, variables, { key: secret });
    expect(after.data).toEqual({ deployments: [{ name: 'leaked', key: null }] });
    const extensions = { code: 'UNAUTHENTICATED', reason: 'REVOKED', serviceName: 'keyward' };
    expect(after.errors).toMatchObject([{ extensions }]);
  });

  test("gives Keyward's errors the gateway's own request id", async () => {
    const headers = { 'x-request-id': 'seen-by-the-client' };
    const answer = await supergraph.ask('{ apiKeys { totalCount } }', {}, { key: null, headers });
    expect(answer.headers.get('x-request-id')).toBe('seen-by-the-client');
    expect(answer.errors).toMatchObject([{ extensions: { requestId: 'seen-by-the-client' } }]);
  });
});
