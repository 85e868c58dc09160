import { startTestKeyward, type TestKeyward } from '../support/keyward';

let keyward: TestKeyward;
beforeEach(async () => {
  keyward = await startTestKeyward();
});
afterEach(async () => keyward.stop());

interface Event {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly requestId: string;
  readonly targetId: string;
  readonly targetName: string;
  readonly actor: { readonly displayName: string; readonly kind: string };
  readonly changes: Record<string, unknown>;
}

interface Events {
  readonly auditEvents: {
    readonly nodes: readonly Event[];
    readonly totalCount: number;
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
  };
}

const list = `
  query ($first: Int, $after: String, $filter: AuditEventFilter) {
    auditEvents(first: $first, after: $after, filter: $filter) {
      totalCount
      nodes { id at action requestId targetId targetName changes actor { kind displayName } }
      pageInfo { hasNextPage endCursor }
    }
  }`;

async function revoke(id: string, key: string, requestId: string): Promise<void> {
  const { errors } = await keyward.ask(
    'mutation ($id: ID!) { revokeApiKey(input: { id: $id, reason: UNUSED }) { apiKey { id } } }',
    { id },
    { key, headers: { 'x-request-id': requestId } },
  );
  expect(errors).toEqual([]);
}

test('who revoked a key is in the audit trail under the name it had, with the request it made', async () => {
  const pipeline = await keyward.createKey({ name: 'CI/CD Pipeline', scopes: ['api_keys:write'] });
  const { id } = await keyward.createKey({ name: 'Old integration' });
  await revoke(id, pipeline.secret, 'request-0001');
  await keyward.ask(
    'mutation ($id: ID!) { updateApiKey(input: { id: $id, name: "Renamed" }) { apiKey { id } } }',
    { id: pipeline.id },
  );
  const { data } = await keyward.ask<Events>(list, { filter: { actions: ['api_key.revoked'] } });
  expect(data.auditEvents.totalCount).toBe(1);
  expect(data.auditEvents.nodes[0]).toMatchObject({
    action: 'api_key.revoked',
    targetId: id,
    targetName: 'Old integration',
    requestId: 'request-0001',
    actor: { kind: 'API_KEY', displayName: 'API Key: CI/CD Pipeline' },
    changes: { status: { from: 'ACTIVE', to: 'REVOKED' }, reason: { from: null, to: 'UNUSED' } },
  });
});

test('the first start is in the audit trail as done by System', async () => {
  const { data } = await keyward.ask<Events>(list);
  expect(data.auditEvents.nodes.map(({ action, actor }) => [action, actor.displayName])).toEqual([
    ['api_key.created', 'System'],
    ['organization.created', 'System'],
  ]);
});

test('every filter keeps just the events that meet it', async () => {
  const one = await keyward.createKey({ name: 'One', scopes: ['api_keys:write'] });
  const two = await keyward.createKey({ name: 'Two' });
  await revoke(two.id, one.secret, 'request-0002');
  const matching = async (filter: object): Promise<string[]> => {
    const { data, errors } = await keyward.ask<Events>(list, { filter });
    expect(errors).toEqual([]);
    return data.auditEvents.nodes.map(({ action }) => action);
  };
  expect(await matching({ targetId: two.id })).toEqual(['api_key.revoked', 'api_key.created']);
  expect(await matching({ actorId: one.id })).toEqual(['api_key.revoked']);
  expect(await matching({ requestId: 'request-0002' })).toEqual(['api_key.revoked']);
  const { data } = await keyward.ask<Events>(list, { filter: { targetId: two.id } });
  const [revoked] = data.auditEvents.nodes;
  expect(await matching({ from: revoked?.at })).toEqual(['api_key.revoked']);
  expect(await matching({ to: revoked?.at })).not.toContain('api_key.revoked');
});

test('pages go through all events once, newest first', async () => {
  for (const name of ['One', 'Two', 'Three']) await keyward.createKey({ name });
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const page: { data: Events } = await keyward.ask<Events>(list, { first: 2, after });
    const { nodes, pageInfo } = page.data.auditEvents;
    seen.push(...nodes.map(({ targetName }) => targetName));
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  expect(seen).toEqual(['Three', 'Two', 'One', 'Admin key of the first start', 'default']);
});

test("a key's own events need audit_logs:read, and so does the list", async () => {
  const reader = await keyward.createKey({ scopes: ['api_keys:read'] });
  const query = '{ viewer { apiKey { auditEvents { totalCount } } } }';
  const refused = await keyward.ask(query, {}, { key: reader.secret });
  expect(refused.body.data).toEqual({ viewer: { apiKey: { auditEvents: null } } });
  expect(refused.errors[0]?.extensions.reason).toBe('INSUFFICIENT_SCOPE');
  expect((await keyward.ask(list, {}, { key: reader.secret })).status).toBe(403);
  const auditor = await keyward.createKey({ scopes: ['audit_logs:read'] });
  const allowed = await keyward.ask(query, {}, { key: auditor.secret });
  expect(allowed.body.data).toEqual({ viewer: { apiKey: { auditEvents: { totalCount: 1 } } } });
});

test.each(['not a cursor', Buffer.from('["audit_events","x","y"]').toString('base64url')])(
  'a cursor that no list gave is refused: %s',
  async (after) => {
    const { errors } = await keyward.ask(list, { after });
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'after' });
  },
);
