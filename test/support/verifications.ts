import { mintKey } from '../../src/keys/key-secret';
import type { Answer, AnswerError, Asked } from './http';
import type { TestKeyward } from './keyward';

/** A verification as `POST /verifications` answers it. */
export interface ShownVerification {
  readonly valid: boolean;
  readonly outcome: string;
  readonly apiKey: {
    readonly id: string;
    readonly name: string;
    readonly environment: string;
    readonly expiresAt: string | null;
  } | null;
  readonly organization: { readonly id: string } | null;
  readonly scopes: readonly string[];
  readonly missingScopes: readonly (readonly string[])[];
  readonly superseded: boolean;
}

/** An answer over HTTP. */
export interface PlainAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body & { readonly errors?: readonly AnswerError[] };
}

/** POSTs what is to be verified to a Keyward whose GraphQL is at `url`. */
export async function postVerifications(
  { url }: { readonly url: string },
  verifications: unknown,
  { key = null, headers = {} }: Asked = {},
): Promise<PlainAnswer<{ readonly verifications: readonly ShownVerification[] }>> {
  const response = await fetch(new URL('/verifications', url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...headers,
    },
    body: JSON.stringify({ verifications }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: JSON.parse(text) as { verifications: ShownVerification[] }, // it answers with JSON
  };
}

/** A usage record. */
export interface UsageRecord {
  readonly organizationId: string;
  readonly apiKeyId: string | null;
  readonly service: string;
  readonly operation: string | null;
  readonly outcome: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** The usage records of a request id, by service and outcome. */
export async function recordsOf(
  { database }: Pick<TestKeyward, 'database'>,
  requestId: unknown,
): Promise<readonly UsageRecord[]> {
  return database.sql<UsageRecord>(
    `SELECT organization_id AS "organizationId", api_key_id AS "apiKeyId", service, operation,
       outcome, ip, user_agent AS "userAgent"
     FROM api_key_requests WHERE request_id = $1 ORDER BY service, outcome`,
    [requestId],
  );
}

/** A key in the right shape that was never issued. */
export function unknownKey(): string {
  return mintKey({ prefix: 'sk', showEnvironment: true }, 'LIVE').secret;
}

/** Asks GraphQL to verify a key for the service `contacts` unless told; everything but `apiKey`. */
export async function verifyApiKey(
  keyward: Pick<TestKeyward, 'ask'>,
  input: Readonly<Record<string, unknown>>,
  asked?: Asked,
): Promise<Answer<{ verifyApiKey: Omit<ShownVerification, 'apiKey' | 'organization'> | null }>> {
  return keyward.ask(
    `mutation ($input: VerifyApiKeyInput!) {
       verifyApiKey(input: $input) { valid outcome scopes missingScopes superseded } }`,
    { input: { service: 'contacts', ...input } },
    asked,
  );
}
