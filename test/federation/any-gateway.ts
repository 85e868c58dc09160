import { createOrganization } from '../support/organizations';
import type { TestSupergraph } from '../support/supergraph';

const deployedWith = `
  query ($ids: [ID!]!) {
    deployments(ids: $ids) { name key { id name redacted organization { name } } }
  }`;

const scopeRefusal = {
  code: 'UNAUTHORIZED_FIELD_OR_TYPE',
  reason: 'INSUFFICIENT_SCOPE',
  requiredScopes: [['api_keys:read']],
  missingScopes: [['api_keys:read']],
};

/** The tests of what holds behind every gateway that forwards the Authorization header. */
export function holdsBehindAnyGateway(supergraph: () => TestSupergraph): void {
  test('a deployment shows the key it was deployed with', async () => {
    const { keyward, deployments, ask } = supergraph();
    const { id } = await keyward.createKey({ name: 'CI/CD Pipeline' });
    const ids = [deployments.deploy('web', id), deployments.deploy('worker', id)];
    const { data, errors } = await ask(deployedWith, { ids });
    expect(errors).toEqual([]);
    const key = { id, name: 'CI/CD Pipeline', organization: { name: 'default' } };
    expect(data).toMatchObject({
      deployments: [
        { name: 'web', key },
        { name: 'worker', key },
      ],
    });
  });

  test('a key shows the deployments that use it, and these the key', async () => {
    const { keyward, deployments, ask } = supergraph();
    const { id } = await keyward.createKey({ name: 'Shared' });
    deployments.deploy('one', id);
    deployments.deploy('two', id);
    const { data, errors } = await ask(
      'query ($id: ID!) { apiKey(id: $id) { name deployments { name key { name status } } } }',
      { id },
    );
    expect(errors).toEqual([]);
    const key = { name: 'Shared', status: 'ACTIVE' };
    expect(data).toEqual({
      apiKey: {
        name: 'Shared',
        deployments: [
          { name: 'one', key },
          { name: 'two', key },
        ],
      },
    });
  });

  test('callers that ask the same thing at the same time each get their own answer', async () => {
    const { keyward, deployments, ask } = supergraph();
    const callers = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const key = await keyward.createKey({ name });
      deployments.deploy(`deployed by ${name}`, key.id);
      callers.push({ name, ...key });
    }
    const answers = await Promise.all(
      callers.map(({ secret }) =>
        ask('{ viewer { apiKey { id name deployments { name } } } }', {}, { key: secret }),
      ),
    );
    expect(answers.map(({ data }) => data.viewer)).toEqual(
      callers.map(({ id, name }) => ({
        apiKey: { id, name, deployments: [{ name: `deployed by ${name}` }] },
      })),
    );
  });

  test('a key created through the gateway works at once', async () => {
    const { ask } = supergraph();
    const { data } = await ask<{ createApiKey: { secret: string; apiKey: { id: string } } }>(
      `mutation {
         createApiKey(input: { name: "Fresh", scopes: ["contacts:read"] }) {
           secret apiKey { id deployments { name } }
         }
       }`,
    );
    const { secret, apiKey } = data.createApiKey;
    expect(apiKey).toEqual({ id: apiKey.id, deployments: [] });
    const viewer = await ask('{ viewer { apiKey { id } } }', {}, { key: secret });
    expect(viewer.data).toEqual({ viewer: { apiKey: { id: apiKey.id } } });
  });

  test('a key without api_keys:read cannot read keys through a join, but itself; the rest survives', async () => {
    const { keyward, deployments, ask } = supergraph();
    const reader = await keyward.createKey({ name: 'Reader of contacts' });
    const other = await keyward.createKey({ name: 'Not for readers of contacts' });
    const ids = [deployments.deploy('theirs', other.id), deployments.deploy('own', reader.id)];
    const { data, errors, text } = await ask(deployedWith, { ids }, { key: reader.secret });
    expect(data).toMatchObject({
      deployments: [
        { name: 'theirs', key: null },
        { name: 'own', key: { id: reader.id, name: 'Reader of contacts' } },
      ],
    });
    expect(errors).toMatchObject([{ extensions: { ...scopeRefusal, serviceName: 'keyward' } }]);
    expect(errors[0]?.path?.slice(0, 3)).toEqual(['deployments', 0, 'key']);
    expect(text).not.toContain('Not for readers of contacts');
  });

  test('a key without api_keys:read cannot read keys through aliases and fragments', async () => {
    const { keyward, deployments, ask } = supergraph();
    const { secret } = await keyward.createKey();
    const { id } = await keyward.createKey({ name: 'Not for readers of contacts' });
    const ids = [deployments.deploy('theirs', id)];
    const { data, errors, text } = await ask(
      `query ($ids: [ID!]!) {
         first: deployments(ids: $ids) { ...Deployed }
         second: deployments(ids: $ids) { name ... on Deployment { secretly: key { label: name } } }
       }
       fragment Deployed on Deployment { name key { ...Key } }
       fragment Key on ApiKey { name organization { apiKeys { nodes { name } } } }`,
      { ids },
      { key: secret },
    );
    expect(data).toEqual({
      first: [{ name: 'theirs', key: null }],
      second: [{ name: 'theirs', secretly: null }],
    });
    expect(errors.length).toBeGreaterThan(0);
    for (const { extensions } of errors) expect(extensions).toMatchObject(scopeRefusal);
    expect(text).not.toContain('Not for readers of contacts');
  });

  test('a key that may write but not read cannot read keys through what it wrote', async () => {
    const { keyward, ask } = supergraph();
    const writer = await keyward.createKey({ scopes: ['api_keys:write', 'contacts:read'] });
    const { data, errors } = await ask(
      `mutation {
         createApiKey(input: { name: "Written", scopes: ["contacts:read"] }) {
           apiKey { name organization { name apiKeys { nodes { name } } } }
         }
       }`,
      {},
      { key: writer.secret },
    );
    const organization = { name: 'default', apiKeys: null };
    expect(data).toEqual({ createApiKey: { apiKey: { name: 'Written', organization } } });
    expect(errors).toMatchObject([
      {
        path: ['createApiKey', 'apiKey', 'organization', 'apiKeys'],
        extensions: { ...scopeRefusal, serviceName: 'keyward' },
      },
    ]);
  });

  test('a caller without a key cannot read keys through a join; the rest survives', async () => {
    const { keyward, deployments, ask } = supergraph();
    const { id } = await keyward.createKey({ name: 'Not for everybody' });
    const ids = [deployments.deploy('public', id)];
    const { data, errors, text } = await ask(deployedWith, { ids }, { key: null });
    expect(data).toEqual({ deployments: [{ name: 'public', key: null }] });
    const extensions = { code: 'UNAUTHORIZED_FIELD_OR_TYPE', reason: 'UNAUTHENTICATED' };
    expect(errors).toMatchObject([{ extensions }]);
    expect(text).not.toContain('Not for everybody');
  });

  test("another organization's key reads through a join as one that does not exist", async () => {
    const { keyward, deployments, ask } = supergraph();
    const elsewhere = await createOrganization(keyward, 'Elsewhere');
    const { id } = await elsewhere.createKey({ name: 'Not for neighbours' });
    const nobodysId = '00000000-0000-7000-8000-000000000000';
    const [foreign, missing] = await Promise.all(
      [id, nobodysId].map((keyId) =>
        ask(deployedWith, { ids: [deployments.deploy('abroad', keyId)] }),
      ),
    );
    expect(foreign?.body).toMatchObject({ data: { deployments: [{ name: 'abroad', key: null }] } });
    expect(foreign?.body).toEqual(missing?.body);
  });
}

/** That a revoked key is refused behind a gateway that tells its client in this way. */
export function refusesRevokedKeys(supergraph: () => TestSupergraph, toldHow: object): void {
  test('refuses a revoked key at once and tells the client why', async () => {
    const { keyward, deployments, ask } = supergraph();
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
    expect(after.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED', ...toldHow } }]);
  });
}
