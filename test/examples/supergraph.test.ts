import { readFileSync } from 'node:fs';
import { graphql, type Answer } from '../support/http';
import { run, testDatabase, until, type Running } from '../support/process';

jest.setTimeout(120_000);

describe('the example supergraph', () => {
  let example: Running;
  let gatewayUrl: string;
  /** The key that the example prints: full access in the organization Acme. */
  let administrator: string;

  beforeAll(async () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: { example: string }; // what `npm run example` does
    };
    const [node, ...program] = scripts.example.split(' ');
    expect(node).toBe('node');
    example = run(program, {
      PORT: '0',
      DATABASE_URL: (await testDatabase()).url,
      KEYWARD_PEPPERS: 'a pepper of thirty-two characters and more',
    });
    const printed = /^The supergraph is ready: (\S+)$[^]*^(sk_live_\w{39})$/m;
    const said = async (): Promise<RegExpExecArray | false> =>
      printed.exec(example.stdout) ?? false;
    [, gatewayUrl = '', administrator = ''] = await until('the supergraph is ready', said, 60_000);
  });

  afterAll(async () => {
    example.signal('SIGTERM');
    expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
  });

  /** Every answer of the gateway, as it came. */
  const answers: string[] = [];

  async function ask<Data = Record<string, unknown>>(
    query: string,
    key: string | null,
    variables: Record<string, unknown> = {},
  ): Promise<Answer<Data>> {
    const answer = await graphql<Data>(gatewayUrl, { query, variables }, { key });
    answers.push(answer.text);
    return answer;
  }

  interface Issued {
    readonly apiKey: { readonly id: string };
    readonly secret: string;
  }

  async function createKey(scopes: readonly string[]): Promise<Issued> {
    const { data } = await ask<{ createApiKey: Issued }>(
      `mutation { createApiKey(input: { name: "Newsletter", expiresIn: "PT12H", scopes: ${JSON.stringify(scopes)} }) {
       apiKey { id } secret } }`,
      administrator,
    );
    return data.createApiKey;
  }

  async function revoke({ apiKey: { id } }: Issued): Promise<void> {
    const { data } = await ask(
      `mutation { revokeApiKey(input: { id: "${id}", reason: COMPROMISED }) { apiKey { status } } }`,
      administrator,
    );
    expect(data).toEqual({ revokeApiKey: { apiKey: { status: 'REVOKED' } } });
  }

  const readContacts = 'query Contacts { contacts { name email } }';
  const contacts = [
    { name: 'Ada Lovelace', email: 'ada@example.com' },
    { name: 'Grace Hopper', email: 'grace@example.com' },
  ];

  test('a key with contacts:read reads contacts, also those of its organization', async () => {
    const { secret } = await createKey(['contacts:read']);
    const { body } = await ask(
      '{ contacts { name email } viewer { organization { name contacts { name email } } } }',
      secret,
    );
    const organization = { name: 'Acme', contacts };
    expect(body).toEqual({ data: { contacts, viewer: { organization } } });
  });

  test('it is refused agents and told why, and what else it asked for is answered', async () => {
    const { secret } = await createKey(['contacts:read']);
    expect((await ask('{ agents { name } }', secret)).status).toBe(403);
    const { status, data, errors } = await ask(
      '{ agents { name } contacts { name email } viewer { apiKey { name agents { name } } } }',
      secret,
    );
    expect(status).toBe(200);
    const apiKey = { name: 'Newsletter', agents: null };
    expect(data).toEqual({ agents: null, contacts, viewer: { apiKey } });
    const extensions = {
      code: 'UNAUTHORIZED_FIELD_OR_TYPE',
      reason: 'INSUFFICIENT_SCOPE',
      requiredScopes: [['agents:read']],
      missingScopes: [['agents:read']],
    };
    const paths = errors.map(({ path }) => path?.join('.')).sort();
    expect(paths).toEqual(['agents', 'viewer.apiKey.agents']);
    for (const error of errors) expect(error.extensions).toMatchObject(extensions);
  });

  test('what its README shows is answered in turn, and ends the loop that it begins', async () => {
    const readme = readFileSync('examples/supergraph/README.md', 'utf8');
    const shell: Record<string, string> = { KEY: administrator };
    const requests = [...readme.matchAll(/Bearer \$(\w+)"[^]*?-d '(\{.*\})'/g)];
    expect(requests.map(([, key]) => key)).toEqual(['KEY', 'KEY', 'NEWSLETTER', 'KEY', 'KEY']);
    for (const [, key = '', body = ''] of requests) {
      const sent = body.replace("'$ID'", shell.ID ?? '');
      const { query, variables } = JSON.parse(sent) as {
        query: string;
        variables?: Record<string, unknown>;
      }; // what curl sends
      const { data, errors } = await ask<{ createApiKey?: Issued }>(
        query,
        shell[key] ?? '',
        variables,
      );
      expect(errors).toEqual([]);
      if (data.createApiKey === undefined) continue;
      shell.NEWSLETTER = data.createApiKey.secret;
      shell.ID = data.createApiKey.apiKey.id;
    }
    expect((await ask('{ contacts { name } }', shell.NEWSLETTER ?? '')).status).toBe(401);
  });

  test('a key that reads may not write, and without a key nothing is read', async () => {
    const { secret } = await createKey(['contacts:read']);
    const write = 'mutation { createContact(name: "Eve", email: "eve@example.com") { id } }';
    const reason = 'INSUFFICIENT_SCOPE';
    expect(await ask(write, secret)).toMatchObject({ errors: [{ extensions: { reason } }] });
    expect(await ask(readContacts, null)).toMatchObject({
      body: { data: { contacts: null } },
      errors: [{ extensions: { reason: 'UNAUTHENTICATED' } }],
    });
    expect((await ask(readContacts, secret)).data).toEqual({ contacts });
  });

  test('an agent shows the key it was created with, and the key its agents', async () => {
    const { secret } = await createKey(['agents:write', 'agents:read']);
    const { body } = await ask(
      'mutation { createAgent(name: "Concierge") { name createdWith { name agents { name } } } }',
      secret,
    );
    const createdWith = { name: 'Newsletter', agents: [{ name: 'Concierge' }] };
    expect(body).toEqual({ data: { createAgent: { name: 'Concierge', createdWith } } });
  });

  test('a key is rotated under load without one failed request', async () => {
    const old = await createKey(['contacts:read']);
    const answered = new Map<string, number>();
    let using = [old.secret];
    let going = true;
    const client = async (number: number): Promise<void> => {
      while (going) {
        const key = using[number % using.length] ?? '';
        const { status, body } = await ask(readContacts, key);
        expect([status, body]).toEqual([200, { data: { contacts } }]);
        answered.set(key, (answered.get(key) ?? 0) + 1);
      }
    };
    const clients = Promise.all(Array.from({ length: 8 }, async (_, number) => client(number)));
    const used = async (key: string, more: number): Promise<unknown> => {
      const enough = (answered.get(key) ?? 0) + more;
      const isEnough = (): boolean => (answered.get(key) ?? 0) >= enough;
      return Promise.race([clients, until('it was used', isEnough, 60_000)]);
    };
    try {
      await used(old.secret, 30);
      const { data } = await ask<{ rotateApiKey: Issued }>(
        `mutation { rotateApiKey(input: { id: "${old.apiKey.id}" }) { apiKey { id } secret } }`,
        administrator,
      );
      const successor = data.rotateApiKey;
      using = [old.secret, successor.secret];
      await used(successor.secret, 30);
      await used(old.secret, 30);
      const { data: found } = await ask(
        `{ apiKey(id: "${successor.apiKey.id}") { status rotation { predecessor { id status } } } }`,
        administrator,
      );
      const predecessor = { id: old.apiKey.id, status: 'ACTIVE' };
      expect(found).toEqual({ apiKey: { status: 'ACTIVE', rotation: { predecessor } } });
    } finally {
      going = false;
    }
    await clients;
  });

  test('a revoked key is refused at the very next request', async () => {
    const key = await createKey(['contacts:read']);
    expect((await ask(readContacts, key.secret)).data).toEqual({ contacts });
    await revoke(key);
    const { status, headers, errors, text } = await ask(readContacts, key.secret);
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED', reason: 'REVOKED' } }]);
    expect(text).not.toContain('Ada');
  });

  test('the key’s usage shows each request, and which service it was for', async () => {
    const key = await createKey(['contacts:read']);
    await ask(readContacts, key.secret);
    const called = (service: string, outcome: string) => ({ service, outcome });
    await ask('query Me { viewer { organization { contacts { name } } } }', key.secret);
    await revoke(key);
    await ask(readContacts, key.secret);
    const { data } = await ask<{ apiKey: { requests: { nodes: unknown[] } } }>(
      `{ apiKey(id: "${key.apiKey.id}") { requests { nodes { service outcome } } } }`,
      administrator,
    );
    const records = data.apiKey.requests.nodes.toReversed(); // newest first
    expect(records).toEqual([
      ...[called('gateway', 'VALID'), called('contacts', 'VALID')],
      ...[called('gateway', 'VALID'), called('keyward', 'VALID'), called('contacts', 'VALID')],
      called('gateway', 'REVOKED'),
    ]);
  });

  test('no secret is shown twice: each is in the one answer that made it', () => {
    const shown = answers.join('\n');
    const secrets = shown.match(/sk_live_\w{39}/g) ?? [];
    expect(secrets.length).toBeGreaterThan(0);
    expect(new Set(secrets).size).toBe(secrets.length);
    expect(shown).not.toContain(administrator);
    expect(`${example.stdout}${example.stderr}`.match(/sk_live_\w{39}/g)).toEqual([administrator]);
  });
});
