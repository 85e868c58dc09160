import { resolve } from 'node:path';
import type { Answer } from '../support/http';
import { startTestKeyward, type TestKeyward } from '../support/keyward';

/** A key as a help page's table shows it. */
interface ListedKey {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly prefix: string;
  readonly redacted: string;
  readonly environment: string;
  readonly scopes: readonly string[];
  readonly status: string;
  readonly createdAt: string;
  readonly createdBy: { readonly displayName: string };
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly advice: readonly { readonly code: string }[];
}

/** A created key and its secret. */
interface CreatedKey extends ListedKey {
  readonly secret: string;
}

/** A key that takes the place of another, and its secret. */
export interface Succession {
  readonly apiKey: ListedKey;
  readonly secret: string;
}

/** A product running on Keyward with nothing but its configuration. */
export interface Product {
  readonly keyward: TestKeyward;
  /** Sends a request as the person (or key) whose credentials are given. */
  ask<Data = Record<string, never>>(
    credentials: string,
    query: string,
    variables?: Record<string, unknown>,
  ): Promise<Answer<Data>>;
  create(credentials: string, input: Record<string, unknown>): Promise<CreatedKey>;
  list(credentials: string, filter?: Record<string, unknown>): Promise<readonly ListedKey[]>;
  revoke(credentials: string, id: string, reason?: string): Promise<void>;
  rotate(
    credentials: string,
    id: string,
    how?: { readonly gracePeriod?: string; readonly keepPredecessor?: boolean },
  ): Promise<Succession>;
  /** The status and reason of a request made with a key. */
  use(secret: string): Promise<{ status: number; reason: unknown }>;
  stop(): Promise<void>;
}

const shown = `id name description prefix redacted environment scopes status createdAt
  createdBy { displayName } expiresAt lastUsedAt advice { code }`;

/** Starts a product from its file in examples/products. */
export async function startProduct(
  name: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Product> {
  const file = resolve('examples/products', `${name}.json`);
  const keyward = await startTestKeyward({ KEYWARD_CONFIG: file, ...settings });
  const ask: Product['ask'] = async (credentials, query, variables) =>
    keyward.ask(query, variables, { key: credentials });
  return {
    keyward,
    ask,
    async create(credentials, input) {
      const { data } = await ask<{ createApiKey: { apiKey: ListedKey; secret: string } }>(
        credentials,
        `mutation ($input: CreateApiKeyInput!) {
           createApiKey(input: $input) { apiKey { ${shown} } secret } }`,
        { input },
      );
      return { ...data.createApiKey.apiKey, secret: data.createApiKey.secret };
    },
    async list(credentials, filter) {
      const { data } = await ask<{ apiKeys: { nodes: readonly ListedKey[] } }>(
        credentials,
        `query ($filter: ApiKeyFilter) { apiKeys(filter: $filter) { nodes { ${shown} } } }`,
        { filter },
      );
      return data.apiKeys.nodes;
    },
    async revoke(credentials, id, reason = 'OTHER') {
      const { errors } = await ask(
        credentials,
        `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { id } } }`,
        { input: { id, reason } },
      );
      expect(errors).toEqual([]);
    },
    async rotate(credentials, id, how) {
      const { data } = await ask<{ rotateApiKey: Succession }>(
        credentials,
        `mutation ($input: RotateApiKeyInput!) {
           rotateApiKey(input: $input) { apiKey { ${shown} } secret } }`,
        { input: { id, ...how } },
      );
      return data.rotateApiKey;
    },
    async use(secret) {
      const { status, errors } = await ask(secret, '{ viewer { kind } }');
      return { status, reason: errors[0]?.extensions.reason };
    },
    stop: async () => keyward.stop(),
  };
}

/** The code and rule of the first error. */
export function refusalOf({ errors }: Answer<unknown>): { code: unknown; rule: unknown } {
  const [error] = errors;
  return { code: error?.extensions.code, rule: error?.extensions.rule };
}
