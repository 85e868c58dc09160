import {
  created,
  createApiKey,
  listed,
  readApiKey,
  revokeApiKey,
  tryKey,
  updateApiKey,
} from '../support/api-keys';
import type { Answer } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';
import { createOrganization } from '../support/organizations';

let keyward: TestKeyward;
beforeAll(async () => {
  keyward = await startTestKeyward();
});
afterAll(async () => keyward.stop());

interface EventRow {
  readonly action: string;
  readonly actor_kind: string;
  readonly actor_id: string | null;
  readonly actor_name: string;
  readonly target_type: string;
  readonly target_name: string;
  readonly organization_id: string;
  readonly changes: Record<string, { from: unknown; to: unknown }>;
  readonly request_id: string;
  readonly ip: string | null;
  readonly at: Date;
}

async function eventsOf(targetId: string): Promise<EventRow[]> {
  return keyward.database.sql<EventRow>(
    'SELECT * FROM audit_events WHERE target_id = $1 ORDER BY at, id',
    [targetId],
  );
}

const requestIdOf = (answer: Answer<unknown>) => answer.headers.get('x-request-id');

test('creating a key leaves one event: who, what, when, from where, in which request', async () => {
  const name = 'CI/CD Pipeline';
  const { apiKey: author, secret: key } = await created(keyward, { name, scopes: ['admin:full'] });
  const given = {
    ...{ name: 'New', description: 'd', owner: 'o', application: 'a', usageLocation: 'u' },
    ...{ tags: ['t'], metadata: { m: 1 }, expiresAt: '2090-01-01T00:00:00.000Z' },
  };
  const answer = await createApiKey(keyward, given, {
    key,
    headers: { 'x-request-id': 'creation-0001' },
  });
  const apiKey = answer.data.createApiKey?.apiKey;
  const [event, ...more] = await eventsOf(String(apiKey?.id));
  expect(more).toEqual([]);
  expect(event).toMatchObject({
    ...{ action: 'api_key.created', target_type: 'ApiKey', target_name: 'New' },
    ...{ actor_kind: 'API_KEY', actor_id: author.id, actor_name: name },
    ...{ organization_id: apiKey?.organization.id, request_id: 'creation-0001', ip: '127.0.0.1' },
    at: new Date(String(apiKey?.createdAt)),
  });
  const set = {
    ...given,
    environment: 'LIVE',
    scopes: ['contacts:read'],
    redacted: apiKey?.redacted,
  };
  expect(event?.changes).toEqual(
    Object.fromEntries(Object.entries(set).map(([field, to]) => [field, { from: null, to }])),
  );
});

test('updating a key leaves one event of what changed; changing nothing leaves none', async () => {
  const { apiKey } = await created(keyward, { name: 'Old', owner: 'Same', tags: ['x'] });
  const change = { id: apiKey.id, name: 'New', owner: 'Same', tags: ['x', 'y'], description: null };
  const answer = await updateApiKey(keyward, change);
  await updateApiKey(keyward, change);
  await updateApiKey(keyward, { id: apiKey.id });
  const [, event, ...more] = await eventsOf(apiKey.id);
  expect(more).toEqual([]);
  expect(event).toMatchObject({
    ...{ action: 'api_key.updated', target_name: 'Old', request_id: requestIdOf(answer) },
  });
  expect(event?.changes).toEqual({
    name: { from: 'Old', to: 'New' },
    tags: { from: ['x'], to: ['x', 'y'] },
  });
});

test('revoking a key leaves one event with the reason and the note; repeating it leaves none', async () => {
  const { apiKey } = await created(keyward, { name: 'Leaked' });
  const answer = await revokeApiKey(keyward, { id: apiKey.id, note: 'in a gist' });
  await revokeApiKey(keyward, { id: apiKey.id });
  const [, event, ...more] = await eventsOf(apiKey.id);
  expect(more).toEqual([]);
  expect(event).toMatchObject({
    ...{ action: 'api_key.revoked', target_name: 'Leaked', request_id: requestIdOf(answer) },
    at: new Date(String(answer.data.revokeApiKey?.apiKey.revocation?.at)),
  });
  expect(event?.changes).toEqual({
    status: { from: 'ACTIVE', to: 'REVOKED' },
    reason: { from: null, to: 'COMPROMISED' },
    note: { from: null, to: 'in a gist' },
  });
});

test('an actor keeps the name it had when it acted', async () => {
  const { apiKey: author, secret: key } = await created(keyward, {
    ...{ name: 'First name', scopes: ['admin:full'] },
  });
  const { apiKey } = await created(keyward, {}, { key });
  await updateApiKey(keyward, { id: author.id, name: 'Second name' });
  await revokeApiKey(keyward, { id: apiKey.id }, { key });
  const events = await eventsOf(apiKey.id);
  expect(events.map((event) => event.actor_name)).toEqual(['First name', 'Second name']);
  expect((await readApiKey(keyward, apiKey.id))?.createdBy.displayName).toBe('API Key: First name');
});

test('what commands do is done by System', async () => {
  const { id, createKey } = await createOrganization(keyward, 'Made by a command');
  const key = await createKey();
  const [made, ...more] = await eventsOf(id);
  expect(more).toEqual([]);
  expect(made).toMatchObject({
    ...{ action: 'organization.created', target_type: 'Organization', organization_id: id },
    ...{ actor_kind: 'SYSTEM', actor_id: null, actor_name: 'System', ip: null },
    target_name: 'Made by a command',
  });
  const [event] = await eventsOf(key.id);
  expect(event).toMatchObject({ actor_kind: 'SYSTEM', organization_id: id });
});

test('refused changes and replays leave no event', async () => {
  const idempotencyKey = 'audited-once';
  const { apiKey } = await created(keyward, { idempotencyKey });
  const [before] = await keyward.database.sql('SELECT count(*) FROM audit_events');
  await createApiKey(keyward, { idempotencyKey });
  await createApiKey(keyward, { idempotencyKey, name: 'Conflicting' });
  await createApiKey(keyward, { name: '' });
  await updateApiKey(keyward, { id: apiKey.id, name: 'n\0' });
  await revokeApiKey(keyward, { id: 'nonsense' });
  const [after] = await keyward.database.sql('SELECT count(*) FROM audit_events');
  expect(after).toEqual(before);
});

test('no event holds a secret or a digest', async () => {
  const { apiKey, secret } = await created(keyward);
  await updateApiKey(keyward, { id: apiKey.id, name: 'Renamed' });
  await revokeApiKey(keyward, { id: apiKey.id });
  const [stored] = await keyward.database.sql<{ digest: string; pepper_id: string }>(
    `SELECT encode(digest, 'hex') AS digest, pepper_id FROM api_keys WHERE id = $1`,
    [apiKey.id],
  );
  const events = await keyward.database.sql<{ text: string }>(
    'SELECT audit_events::text AS text FROM audit_events',
  );
  const hidden = secret.slice('sk_live_'.length + 6, -4);
  expect(events.length).toBeGreaterThan(2);
  for (const { text } of events) {
    expect(text).not.toContain(hidden);
    expect(text).not.toContain(stored?.digest);
    expect(text).not.toContain(stored?.pepper_id);
  }
});

test.each([
  'UPDATE audit_events SET actor_name = $$Nobody$$',
  'DELETE FROM audit_events',
  'TRUNCATE audit_events',
])('the database refuses: %s', async (statement) => {
  const before = await keyward.database.sql('SELECT * FROM audit_events ORDER BY id');
  expect(before.length).toBeGreaterThan(0);
  await expect(keyward.database.sql(statement)).rejects.toThrow('audit events are only ever added');
  expect(await keyward.database.sql('SELECT * FROM audit_events ORDER BY id')).toEqual(before);
});

test('nothing changes when its event cannot be written', async () => {
  // Everything of every key but its last use, which is no change.
  const settings = async (): Promise<unknown[]> =>
    (await listed(keyward, { first: 200 })).nodes.map((key) => ({ ...key, lastUsedAt: null }));
  const { apiKey, secret } = await created(keyward);
  const before = await settings();
  await keyward.database.sql('ALTER TABLE audit_events RENAME TO audit_events_elsewhere');
  try {
    const answers = [
      await createApiKey(keyward, { idempotencyKey: 'unaudited' }),
      await updateApiKey(keyward, { id: apiKey.id, name: 'Unaudited' }),
      await revokeApiKey(keyward, { id: apiKey.id }),
    ];
    for (const { errors, text } of answers) {
      expect(errors[0]?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
      expect(text).not.toMatch(/audit|relation|insert/i); // nothing from inside
    }
  } finally {
    await keyward.database.sql('ALTER TABLE audit_events_elsewhere RENAME TO audit_events');
  }
  expect(await settings()).toEqual(before);
  expect(await tryKey(keyward, secret)).toBe('VALID');
  const { apiKey: retried } = await created(keyward, { idempotencyKey: 'unaudited' });
  expect(await eventsOf(retried.id)).toHaveLength(1);
});
