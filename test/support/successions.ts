import type { Answer, Asked } from './http';
import type { TestKeyward } from './keyward';

/** A key as these tests look at it. */
export interface SeenKey {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly redacted: string;
  readonly environment: string;
  readonly scopes: readonly string[];
  readonly status: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly metadata: object;
  readonly revocation: {
    readonly at: string;
    readonly reason: string;
    readonly note: string | null;
    readonly by: { readonly displayName: string };
  } | null;
  readonly rotation: {
    readonly predecessor: { readonly id: string } | null;
    readonly successor: { readonly id: string } | null;
    readonly lastRotatedAt: string | null;
    readonly retiresAt: string | null;
    readonly requestsSinceSuccessor: number;
  };
}

/** What rotateApiKey and replaceApiKey answer with. */
export interface SeenSuccession {
  readonly apiKey: SeenKey;
  readonly predecessor: SeenKey;
  readonly secret: string | null;
}

const keyFields = `
  id name description redacted environment scopes status createdAt expiresAt owner tags metadata
  revocation { at reason note by { displayName } }
  rotation { predecessor { id } successor { id } lastRotatedAt retiresAt requestsSinceSuccessor }`;

const payloadFields = `{ apiKey { ${keyFields} } predecessor { ${keyFields} } secret }`;

/** The mutations as documents. */
export const successionDocuments = {
  rotate: `mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) ${payloadFields} }`,
  replace: `mutation ($input: ReplaceApiKeyInput!) { replaceApiKey(input: $input) ${payloadFields} }`,
};

type Ask = TestKeyward['ask'];

/** Rotates a key; the whole answer. */
export async function tryRotate(
  ask: Ask,
  input: Record<string, unknown>,
  asked?: Asked,
): Promise<Answer<{ rotateApiKey: SeenSuccession }>> {
  return ask(successionDocuments.rotate, { input }, asked);
}

/** Rotates a key, which must go well. */
export async function rotate(
  ask: Ask,
  input: Record<string, unknown>,
  asked?: Asked,
): Promise<SeenSuccession & { readonly secret: string }> {
  const { errors, data } = await tryRotate(ask, input, asked);
  expect(errors).toEqual([]);
  const { secret, ...rest } = data.rotateApiKey;
  return { ...rest, secret: String(secret) };
}

/** Replaces a key; the whole answer. */
export async function tryReplace(
  ask: Ask,
  input: Record<string, unknown>,
  asked?: Asked,
): Promise<Answer<{ replaceApiKey: SeenSuccession }>> {
  return ask(successionDocuments.replace, { input }, asked);
}

/** Replaces a key, which must go well. */
export async function replace(
  ask: Ask,
  input: Record<string, unknown>,
  asked?: Asked,
): Promise<SeenSuccession & { readonly secret: string }> {
  const { errors, data } = await tryReplace(ask, input, asked);
  expect(errors).toEqual([]);
  const { secret, ...rest } = data.replaceApiKey;
  return { ...rest, secret: String(secret) };
}

/** One key as it is now. */
export async function see(ask: Ask, id: string): Promise<SeenKey> {
  const { data } = await ask<{ apiKey: SeenKey }>(
    `query ($id: ID!) { apiKey(id: $id) { ${keyFields} } }`,
    { id },
  );
  return data.apiKey;
}

/** Whether a secret is let in: the HTTP status and, if not, why. */
export async function tryKey(ask: Ask, key: string): Promise<string> {
  const { status, errors } = await ask('{ viewer { kind } }', {}, { key });
  return status === 200 ? 'in' : `${String(status)} ${String(errors[0]?.extensions.reason)}`;
}

/** Moves every instant of a key into the past, as if that much time had gone by. */
export async function age(
  { database }: Pick<TestKeyward, 'database'>,
  id: string,
  interval: string,
): Promise<void> {
  await database.sql(
    `UPDATE api_keys SET created_at = created_at - $2::interval,
       expires_at = expires_at - $2::interval, succeeded_at = succeeded_at - $2::interval,
       retires_at = retires_at - $2::interval WHERE id = $1`,
    [id, interval],
  );
}
