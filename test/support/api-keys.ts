import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer, Asked } from './http';
import { startTestKeyward, type TestKeyward } from './keyward';

/** What the documents below ask of a key. */
const shown = `
  id name description environment prefix redacted scopes status createdAt
  createdBy { kind id name displayName } expiresAt lastUsedAt
  owner application usageLocation tags metadata
  revocation { at by { kind id name displayName } reason note }
  organization { id name }`;

interface ShownActor {
  readonly kind: string;
  readonly id: string | null;
  readonly name: string;
  readonly displayName: string;
}

/** A key as these documents show it. */
export interface ShownKey {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly environment: string;
  readonly prefix: string;
  readonly redacted: string;
  readonly scopes: readonly string[];
  readonly status: string;
  readonly createdAt: string;
  readonly createdBy: ShownActor;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly owner: string | null;
  readonly application: string | null;
  readonly usageLocation: string | null;
  readonly tags: readonly string[];
  readonly metadata: unknown;
  readonly revocation: {
    readonly at: string;
    readonly by: ShownActor;
    readonly reason: string;
    readonly note: string | null;
  } | null;
  readonly organization: { readonly id: string; readonly name: string };
}

type Input = Readonly<Record<string, unknown>>;
interface Payload {
  readonly apiKey: ShownKey;
}
interface CreatePayload extends Payload {
  readonly secret: string | null;
}

/** Asks for a key; name and scopes have defaults here. */
export async function createApiKey(
  keyward: TestKeyward,
  input: Input = {},
  asked?: Asked,
): Promise<Answer<{ createApiKey: CreatePayload | null }>> {
  return keyward.ask(
    `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { ${shown} } secret } }`,
    { input: { name: 'Some integration', scopes: ['contacts:read'], ...input } },
    asked,
  );
}

/** Creates a key; throws when it is refused. */
export async function created(
  keyward: TestKeyward,
  input?: Input,
  asked?: Asked,
): Promise<{ apiKey: ShownKey; secret: string }> {
  const answer = await createApiKey(keyward, input, asked);
  const payload = answer.data.createApiKey;
  if (payload?.secret == null) throw new Error(answer.text);
  return { apiKey: payload.apiKey, secret: payload.secret };
}

/** Asks for changes to a key. */
export async function updateApiKey(
  keyward: TestKeyward,
  input: Input,
  asked?: Asked,
): Promise<Answer<{ updateApiKey: Payload | null }>> {
  return keyward.ask(
    `mutation ($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { apiKey { ${shown} } } }`,
    { input },
    asked,
  );
}

/** Asks for a key's revocation; the reason is COMPROMISED unless told. */
export async function revokeApiKey(
  keyward: TestKeyward,
  input: Input,
  asked?: Asked,
): Promise<Answer<{ revokeApiKey: Payload | null }>> {
  return keyward.ask(
    `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { ${shown} } } }`,
    { input: { reason: 'COMPROMISED', ...input } },
    asked,
  );
}

/** Reads a key by its id. */
export async function readApiKey(
  keyward: TestKeyward,
  id: string,
  asked?: Asked,
): Promise<ShownKey | null> {
  const { data } = await keyward.ask<{ apiKey: ShownKey | null }>(
    `query ($id: ID!) { apiKey(id: $id) { ${shown} } }`,
    { id },
    asked,
  );
  return data.apiKey;
}

/** What lists ask of each key: little enough for pages of 200. */
const shownInLists = `
  id name description environment prefix scopes status createdAt expiresAt lastUsedAt
  owner application tags organization { id }`;

/** A key as lists show it. */
export type ListedKey = Omit<
  ShownKey,
  'redacted' | 'createdBy' | 'usageLocation' | 'metadata' | 'revocation' | 'organization'
> & { readonly organization: { readonly id: string } };

/** A list's page as the document below asks for it. */
export interface ShownPage {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[];
  readonly nodes: readonly ListedKey[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly totalCount: number;
}

/** Asks for a page of the list; arguments by name. */
export async function listApiKeys(
  keyward: TestKeyward,
  variables: Input = {},
  asked?: Asked,
): Promise<Answer<{ apiKeys: ShownPage | null }>> {
  return keyward.ask(
    `query ($first: Int, $after: String, $last: Int, $before: String,
            $filter: ApiKeyFilter, $orderBy: ApiKeyOrder) {
       apiKeys(first: $first, after: $after, last: $last, before: $before,
               filter: $filter, orderBy: $orderBy) {
         edges { cursor node { id } } nodes { ${shownInLists} }
         pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
       }
     }`,
    variables,
    asked,
  );
}

/** A page of the list; throws when it is refused. */
export async function listed(
  keyward: TestKeyward,
  variables?: Input,
  asked?: Asked,
): Promise<ShownPage> {
  const answer = await listApiKeys(keyward, variables, asked);
  if (answer.data.apiKeys === null) throw new Error(answer.text);
  return answer.data.apiKeys;
}

/** The code, field and rule of an answer's only error; empty when there is none. */
export function refusal(answer: Answer<unknown>): Readonly<Record<string, unknown>> {
  if (answer.errors.length > 1) throw new Error(answer.text);
  const { code, field, rule, reason } = answer.errors[0]?.extensions ?? {};
  return JSON.parse(JSON.stringify({ code, field, rule, reason })) as Record<string, unknown>;
}

/** What a request with this key comes to: `VALID`, or the reason of its refusal. */
export async function tryKey(keyward: Pick<TestKeyward, 'ask'>, key: string): Promise<unknown> {
  const answer = await keyward.ask<{ viewer: unknown }>('{ viewer { kind } }', {}, { key });
  return answer.status === 200 ? 'VALID' : answer.errors[0]?.extensions.reason;
}

/** Starts a Keyward with a product of its own. */
export async function startProduct(
  product: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestKeyward> {
  const directory = await mkdtemp(join(tmpdir(), 'keyward-product-'));
  const path = join(directory, 'product.json');
  await writeFile(path, JSON.stringify(product));
  const keyward = await startTestKeyward({ KEYWARD_CONFIG: path, ...settings });
  return {
    ...keyward,
    async stop() {
      await keyward.stop();
      await rm(directory, { recursive: true });
    },
  };
}
