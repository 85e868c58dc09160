import { Client } from 'pg';
import type { Answer } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization, type TestOrganization } from '../support/organizations';

type Entity = Readonly<Record<string, unknown>> | null;
interface Entities {
  readonly _entities: readonly Entity[];
}

let keyward: TestKeyward;
let stranger: TestOrganization;
beforeAll(async () => {
  keyward = await startTestKeyward();
  stranger = await createOrganization(keyward, 'Stranger');
});
afterAll(async () => keyward.stop());

const nobodysId = '00000000-0000-7000-8000-000000000000';

const byRepresentation = `
  query ($representations: [_Any!]!) {
    _entities(representations: $representations) {
      ... on ApiKey { id name }
      ... on Organization { id name }
    }
  }`;

async function resolve(
  representations: readonly unknown[],
  key: string | null = keyward.adminKey,
): Promise<Answer<Entities>> {
  return keyward.ask<Entities>(byRepresentation, { representations }, { key });
}

function apiKey(id: string) {
  return { __typename: 'ApiKey', id };
}

function organization(id: string) {
  return { __typename: 'Organization', id };
}

async function ownOrganizationId(): Promise<string> {
  const { data } = await keyward.ask<{ viewer: { organization: { id: string } } }>(
    '{ viewer { organization { id } } }',
  );
  return data.viewer.organization.id;
}

/** The answer without what is new in every answer. */
function withoutRequestIds({ text }: Answer<unknown>): string {
  return text.replaceAll(/,?"requestId":"[^"]*"/g, '');
}

const unauthenticated = { code: 'UNAUTHORIZED_FIELD_OR_TYPE', reason: 'UNAUTHENTICATED' };
const insufficientScope = {
  code: 'UNAUTHORIZED_FIELD_OR_TYPE',
  reason: 'INSUFFICIENT_SCOPE',
  requiredScopes: [['api_keys:read']],
  missingScopes: [['api_keys:read']],
};

describe('a batch', () => {
  /** How many statements about keys Keyward sends to PostgreSQL meanwhile; all of them go through. */
  async function countKeyStatements(work: () => Promise<unknown>): Promise<number> {
    const query = jest.spyOn(Client.prototype, 'query');
    try {
      await work();
      const texts = query.mock.calls.map(([statement]: readonly unknown[]) =>
        typeof statement === 'string' ? statement : JSON.stringify(statement),
      );
      return texts.filter((text) => /\bapi_keys\b/.test(text)).length;
    } finally {
      query.mockRestore();
    }
  }

  test('of many keys is one query, answered in the order asked', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `Batched ${index}`);
    const keys = [];
    for (const name of names) keys.push({ name, ...(await keyward.createKey({ name })) });
    const shuffled = [...keys, ...keys].sort((a, b) => a.id.localeCompare(b.id));
    const representations = [apiKey(nobodysId), ...shuffled.map(({ id }) => apiKey(id))];

    const withoutEntities = await countKeyStatements(() => keyward.ask('{ __typename }'));
    let answer: Answer<Entities> | undefined;
    const withEntities = await countKeyStatements(async () => {
      answer = await resolve(representations);
    });

    expect(answer?.errors).toEqual([]);
    const expected = shuffled.map(({ id, name }) => ({ id, name }));
    expect(answer?.data._entities).toEqual([null, ...expected]);
    expect(withEntities - withoutEntities).toBe(1);
  });

  test('may mix both entities', async () => {
    const { id } = await keyward.createKey({ name: 'Mixed' });
    const own = await ownOrganizationId();
    const { data, errors } = await resolve([organization(own), apiKey(id)]);
    expect(errors).toEqual([]);
    expect(data._entities).toEqual([
      { id: own, name: 'default' },
      { id, name: 'Mixed' },
    ]);
  });
});

describe("another organization's entity", () => {
  test('key reads exactly as one that does not exist', async () => {
    const foreign = await stranger.createKey();
    const answers = await Promise.all(
      [foreign.id, nobodysId, 'no UUID', ''].map((id) => resolve([apiKey(id)])),
    );
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ data: { _entities: [null] } });
    }
  });

  test('organization reads exactly as one that does not exist', async () => {
    for (const id of [stranger.id, nobodysId, 'no UUID', '']) {
      const { status, body } = await resolve([organization(id)]);
      expect({ status, body }).toEqual({ status: 200, body: { data: { _entities: [null] } } });
    }
  });

  test('is there for its own callers', async () => {
    const { id, secret } = await stranger.createKey({ name: 'At home' });
    const { data } = await resolve([apiKey(id), organization(stranger.id)], secret);
    expect(data._entities).toEqual([
      { id, name: 'At home' },
      { id: stranger.id, name: 'Stranger' },
    ]);
  });
});

describe('a key without api_keys:read', () => {
  test('may resolve itself and nothing else; the rest of the batch survives', async () => {
    const reader = await keyward.createKey({ name: 'Reader of contacts' });
    const other = await keyward.createKey();
    const { status, data, errors } = await resolve(
      [apiKey(other.id), apiKey(reader.id), organization(await ownOrganizationId())],
      reader.secret,
    );
    expect(status).toBe(200); // gateways read the data of other statuses differently, or not at all
    expect(data._entities).toEqual([null, { id: reader.id, name: 'Reader of contacts' }, null]);
    expect(errors).toMatchObject([
      { path: ['_entities', 0], extensions: insufficientScope },
      { path: ['_entities', 2], extensions: insufficientScope },
    ]);
  });

  test('cannot find out which keys exist', async () => {
    const { secret } = await keyward.createKey();
    const other = await keyward.createKey();
    const foreign = await stranger.createKey();
    const answers = await Promise.all(
      [other.id, foreign.id, nobodysId, 'no UUID'].map((id) => resolve([apiKey(id)], secret)),
    );
    expect(new Set(answers.map(withoutRequestIds)).size).toBe(1);
    expect(answers[0]?.errors).toMatchObject([{ extensions: insufficientScope }]);
  });

  test('is refused whatever aliases and fragments it takes', async () => {
    const reader = await keyward.createKey();
    const { id } = await keyward.createKey({ name: 'Not for readers of contacts' });
    const { data, errors, text } = await keyward.ask(
      `query ($theirs: [_Any!]!, $own: [_Any!]!, $id: ID!) {
         first: _entities(representations: $theirs) { ...Entity }
         second: _entities(representations: [{ __typename: "ApiKey", id: $id }]) {
           ... on ApiKey { label: name }
         }
         own: _entities(representations: $own) { ...Entity }
         ...Root
       }
       fragment Entity on _Entity { ...Key }
       fragment Key on ApiKey { organization { ...Keys } }
       fragment Keys on Organization { mine: apiKeys { nodes { label: name } } }
       fragment Root on Query { third: apiKey(id: $id) { name } }`,
      { theirs: [apiKey(id)], own: [apiKey(reader.id)], id },
      { key: reader.secret },
    );
    expect(data).toEqual({
      first: [null],
      second: [null],
      own: [{ organization: { mine: null } }],
      third: null,
    });
    expect(errors).toHaveLength(4);
    for (const { extensions } of errors) expect(extensions).toMatchObject(insufficientScope);
    expect(text).not.toContain('Not for readers of contacts');
  });

  test.each([
    ['createApiKey', '{ name: "Nested", scopes: ["contacts:read"] }'],
    ['updateApiKey', '{ id: $id, name: "Renamed" }'],
    ['revokeApiKey', '{ id: $id, reason: UNUSED }'],
  ])('cannot read keys through what %s answers', async (mutation, input) => {
    const writer = await keyward.createKey({ scopes: ['api_keys:write', 'contacts:read'] });
    const { id } = await keyward.createKey();
    const { status, data, errors } = await keyward.ask(
      `mutation ${input.includes('$id') ? '($id: ID!)' : ''} {
         ${mutation}(input: ${input}) {
           apiKey { status organization { name apiKeys { totalCount nodes { name } } } }
         }
       }`,
      { id },
      { key: writer.secret },
    );
    expect(status).toBe(200);
    expect(data).toMatchObject({
      [mutation]: { apiKey: { organization: { name: 'default', apiKeys: null } } },
    });
    expect(errors).toMatchObject([
      { path: [mutation, 'apiKey', 'organization', 'apiKeys'], extensions: insufficientScope },
    ]);
  });
});

test('a caller without a key resolves no entity', async () => {
  const { id } = await keyward.createKey();
  const { status, data, errors } = await resolve(
    [apiKey(id), apiKey(nobodysId), organization(await ownOrganizationId())],
    null,
  );
  expect(status).toBe(200);
  expect(data._entities).toEqual([null, null, null]);
  expect(errors.map(({ path }) => path)).toEqual([0, 1, 2].map((index) => ['_entities', index]));
  for (const { extensions } of errors) expect(extensions).toMatchObject(unauthenticated);
});

describe('a malformed representation', () => {
  test.each<[string, unknown, string]>([
    ['no object', 'ApiKey', '__typename'],
    ['a list', [apiKey(nobodysId)], '__typename'],
    ['no type', { id: nobodysId }, '__typename'],
    ['a type that is no text', { __typename: ['ApiKey'], id: nobodysId }, '__typename'],
    ['a type that is no entity', { __typename: 'Viewer', id: nobodysId }, '__typename'],
    ['a type that does not exist', { __typename: 'toString', id: nobodysId }, '__typename'],
    ['no key', { __typename: 'ApiKey' }, 'id'],
    ['another key', { __typename: 'ApiKey', name: 'Admin' }, 'id'],
    ['a key that is null', { __typename: 'Organization', id: null }, 'id'],
    ['a key that is no text', { __typename: 'Organization', id: { toString: 1 } }, 'id'],
  ])('(%s) is refused by the name of what is wrong', async (_, representation, member) => {
    const answer = await resolve([organization(await ownOrganizationId()), representation]);
    const field = `representations.1.${member}`;
    expect(answer.body.data).toBeNull();
    expect(answer.errors).toMatchObject([
      { path: ['_entities'], extensions: { code: 'BAD_USER_INPUT', field } },
    ]);
    expect(answer.errors[0]?.message).toContain(field);
  });

  test('(null) is refused by its place', async () => {
    const answer = await resolve([organization(nobodysId), null]);
    expect(answer.errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'representations[1]' } },
    ]);
  });

  test('is refused when written into the document, too', async () => {
    const { errors } = await keyward.ask(
      '{ mine: _entities(representations: [{ __typename: "ApiKey", id: 7 }]) { __typename } }',
    );
    expect(errors).toMatchObject([
      { path: ['mine'], extensions: { code: 'BAD_USER_INPUT', field: 'representations.0.id' } },
    ]);
  });
});
