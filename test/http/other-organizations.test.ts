import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization, type TestOrganization } from '../support/organizations';

const nobody = '01a20000-0000-7000-8000-000000000000';
let keyward: TestKeyward;
let theirs: TestOrganization;
/** A key of another organization, and one of that organization that may do everything there. */
let foreign: { id: string; secret: string }, owner: { id: string; secret: string };
beforeAll(async () => {
  keyward = await startTestKeyward();
  theirs = await createOrganization(keyward, 'Secretive Ltd');
  foreign = await theirs.createKey({ name: 'Moonshot deployer' });
  owner = await theirs.createKey({ name: 'Moonshot owner' });
  await keyward.ask('query Moonshot { viewer { kind } }', {}, { key: foreign.secret });
});
afterAll(async () => keyward.stop());

const all = `id name prefix status organization { id name plan apiKeys { nodes { name } } }
  createdBy { name } auditEvents { nodes { action } } requests(first: 2) { nodes { operation } }
  rotation { successor { name } }`;

type Path = readonly [by: string, query: string, variables: (id: string) => object];
const paths: readonly Path[] = [
  ['its id', `query ($id: ID!) { apiKey(id: $id) { ${all} } }`, (id) => ({ id })],
  [
    'an alias and fragments',
    `query ($id: ID!) { viewer { ...v } x: apiKey(id: $id) { ...k } }
     fragment v on Viewer { kind } fragment k on ApiKey { ... on ApiKey { n: name ${all} } }`,
    (id) => ({ id }),
  ],
  [
    '`_entities`',
    `query ($of: [_Any!]!) { _entities(representations: $of) { ... on ApiKey { ${all} } } }`,
    (id) => ({ of: [{ __typename: 'ApiKey', id }] }),
  ],
  [
    '`_entities` of the organization',
    `query ($of: [_Any!]!) { _entities(representations: $of) {
       ... on Organization { id name plan apiKeyPolicy { managedBy } apiKeys { nodes { name } } } } }`,
    (id) => ({ of: [{ __typename: 'Organization', id: id === foreign.id ? theirs.id : id }] }),
  ],
  [
    'the filters of keys',
    `query ($id: ID!) { a: apiKeys(filter: { createdBy: $id }) { totalCount nodes { name } }
       b: apiKeys(filter: { search: "Moonshot" }) { totalCount nodes { name } } }`,
    (id) => ({ id }),
  ],
  [
    'the filters of audit events',
    `query ($id: ID!) { a: auditEvents(filter: { targetId: $id }) { totalCount nodes { action } }
       b: auditEvents(filter: { actorId: $id }) { totalCount nodes { action } } }`,
    (id) => ({ id }),
  ],
  [
    'the filters of requests',
    `{ apiKeyRequests(filter: { operation: "Moonshot" }) { nodes { requestId ip } } }`,
    () => ({}),
  ],
  ...Object.entries({
    updateApiKey: { name: 'Mine' },
    rotateApiKey: {},
    replaceApiKey: { name: 'Mine' },
    revokeApiKey: { reason: 'OTHER' },
  }).map(([name, settings]): Path => [
    name,
    `mutation ($input: ${name.slice(0, 1).toUpperCase()}${name.slice(1)}Input!) {
         ${name}(input: $input) { apiKey { ${all} } } }`,
    (id) => ({ input: { id, ...settings } }),
  ]),
];

/** What an answer says, whatever request it was and whatever id was asked for. */
function told(text: string, requestId: string | null, id: string): string {
  return text.replaceAll(requestId ?? '', 'REQUEST').replaceAll(id, 'ID');
}

test.each(paths)(
  'promise 3: nobody sees another organization by %s: it reads as what does not exist',
  async (_by, query, variables) => {
    const answerTo = async (id: string, key = keyward.adminKey): Promise<string> => {
      const { text, headers } = await keyward.ask(query, { ...variables(id) }, { key });
      return told(text, headers.get('x-request-id'), id);
    };
    const answer = await answerTo(foreign.id);
    expect(answer).toBe(await answerTo(nobody));
    expect(answer).not.toMatch(/Moonshot|Secretive/);
    expect(await answerTo(foreign.id, owner.secret)).not.toBe(answer);
  },
);

test.each(['apiKeys', 'auditEvents', 'apiKeyRequests'])(
  'promise 3: a cursor of another organization’s %s is refused',
  async (list) => {
    const page = `{ ${list}(first: 1) { pageInfo { endCursor } } }`;
    type Lists = Record<string, { pageInfo: { endCursor: string } }>;
    const { data } = await keyward.ask<Lists>(page, {}, { key: owner.secret });
    const after = data[list]?.pageInfo.endCursor;
    const ask = async (key: string) =>
      keyward.ask(
        `query ($after: String) { ${list}(first: 1, after: $after) { nodes { __typename } } }`,
        { after },
        { key },
      );
    expect((await ask(owner.secret)).errors).toEqual([]);
    const { errors } = await ask(keyward.adminKey);
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'after' });
  },
);
