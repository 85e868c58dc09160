import { startHiveGateway } from '../support/hive-gateway';
import { startSupergraph, type TestSupergraph } from '../support/supergraph';
import { holdsBehindAnyGateway, refusesRevokedKeys } from './any-gateway';

let supergraph: TestSupergraph;
beforeAll(async () => {
  supergraph = await startSupergraph(startHiveGateway);
});
afterAll(async () => supergraph.stop());

describe('Hive Gateway', () => {
  holdsBehindAnyGateway(() => supergraph);
  refusesRevokedKeys(() => supergraph, { reason: 'REVOKED', serviceName: 'keyward' });

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

  test("gives Keyward's errors the gateway's own request id", async () => {
    const headers = { 'x-request-id': 'seen-by-the-client' };
    const answer = await supergraph.ask('{ apiKeys { totalCount } }', {}, { key: null, headers });
    expect(answer.headers.get('x-request-id')).toBe('seen-by-the-client');
    expect(answer.errors).toMatchObject([{ extensions: { requestId: 'seen-by-the-client' } }]);
  });
});
