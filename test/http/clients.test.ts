import { ClientError, gql, GraphQLClient } from 'graphql-request';
import { startTestKeyward, type TestKeyward } from '../support/keyward';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

function clientWith(key: string): GraphQLClient {
  return new GraphQLClient(keyward.url, { headers: { authorization: `Bearer ${key}` } });
}

test("a front-end developer's client creates a key, uses it, and learns why it is refused", async () => {
  const { createApiKey } = await clientWith(keyward.adminKey).request<{
    createApiKey: { apiKey: { id: string }; secret: string };
  }>(
    gql`
      mutation ($input: CreateApiKeyInput!) {
        createApiKey(input: $input) {
          apiKey {
            id
          }
          secret
        }
      }
    `,
    { input: { name: 'Front end', scopes: ['contacts:read'] } },
  );
  const client = clientWith(createApiKey.secret);
  await expect(client.request('{ viewer { apiKey { id } } }')).resolves.toEqual({
    viewer: { apiKey: { id: createApiKey.apiKey.id } },
  });
  const refusal: unknown = await client.request('{ apiKeys { totalCount } }').catch(asIs);
  expect(refusal).toBeInstanceOf(ClientError);
  const { response } = refusal as ClientError; // as the line above has found
  expect(response.status).toBe(403);
  expect(response.errors?.[0]?.extensions).toMatchObject({ reason: 'INSUFFICIENT_SCOPE' });
});

function asIs(error: unknown): unknown {
  return error;
}
