import type { Answer, Asked } from './http';
import type { TestKeyward } from './keyward';

/** A bucket as these documents show it. */
export interface ShownBucket {
  readonly start: string;
  readonly end: string;
  readonly allowed: number;
  readonly refused: number;
}

/** A request as these documents show it. */
interface ShownRequest {
  readonly requestId: string;
  readonly at: string;
  readonly service: string;
  readonly operation: string | null;
  readonly outcome: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly durationMs: number | null;
  readonly apiKey: { readonly id: string } | null;
}

/** A page of requests as these documents show it. */
export interface ShownRequests {
  readonly edges: readonly { readonly cursor: string }[];
  readonly nodes: readonly ShownRequest[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

type Input = Readonly<Record<string, unknown>>;
type Server = Pick<TestKeyward, 'ask'>;

const usageArguments = '$from: DateTime, $to: DateTime, $granularity: UsageGranularity';
const usageField =
  '(from: $from, to: $to, granularity: $granularity) { start end allowed refused }';

/** Asks for a key's usage. */
export async function askUsage(
  keyward: Server,
  id: string,
  range: Input = {},
  asked?: Asked,
): Promise<Answer<{ apiKey: { usage: ShownBucket[] | null } | null }>> {
  return keyward.ask(
    `query ($id: ID!, ${usageArguments}) { apiKey(id: $id) { usage${usageField} } }`,
    { id, ...range },
    asked,
  );
}

/** A key's usage; throws when it is refused. */
export async function usageOf(
  keyward: Server,
  id: string,
  range?: Input,
): Promise<readonly ShownBucket[]> {
  const answer = await askUsage(keyward, id, range);
  const usage = answer.data.apiKey?.usage;
  if (usage == null) throw new Error(answer.text);
  return usage;
}

/** The organization's usage; throws when it is refused. */
export async function organizationUsage(
  keyward: Server,
  range: Input = {},
  asked?: Asked,
): Promise<readonly ShownBucket[]> {
  const answer = await keyward.ask<{ apiKeyUsage: ShownBucket[] | null }>(
    `query (${usageArguments}) { apiKeyUsage${usageField} }`,
    range,
    asked,
  );
  if (answer.data.apiKeyUsage === null) throw new Error(answer.text);
  return answer.data.apiKeyUsage;
}

/** What all buckets hold together. */
export function totalOf(buckets: readonly ShownBucket[]): { allowed: number; refused: number } {
  const sum = (name: 'allowed' | 'refused'): number =>
    buckets.reduce((total, bucket) => total + bucket[name], 0);
  return { allowed: sum('allowed'), refused: sum('refused') };
}

const requestArguments = '$first: Int, $after: String, $filter: ApiKeyRequestFilter';
const requestField = `(first: $first, after: $after, filter: $filter) {
  edges { cursor } pageInfo { hasNextPage endCursor }
  nodes { requestId at service operation outcome ip userAgent durationMs apiKey { id } } }`;

/** Asks for the organization's requests. */
export async function askRequests(
  keyward: Server,
  page: Input = {},
  asked?: Asked,
): Promise<Answer<{ apiKeyRequests: ShownRequests | null }>> {
  return keyward.ask(
    `query Look(${requestArguments}) { apiKeyRequests${requestField} }`,
    page,
    asked,
  );
}

/** The organization's requests; throws when they are refused. */
export async function organizationRequests(
  keyward: Server,
  page?: Input,
  asked?: Asked,
): Promise<ShownRequests> {
  const answer = await askRequests(keyward, page, asked);
  if (answer.data.apiKeyRequests === null) throw new Error(answer.text);
  return answer.data.apiKeyRequests;
}

/** A key's requests; throws when they are refused. */
export async function requestsOf(
  keyward: Server,
  id: string,
  page: Input = {},
): Promise<ShownRequests> {
  const answer = await keyward.ask<{ apiKey: { requests: ShownRequests | null } | null }>(
    `query ($id: ID!, ${requestArguments}) { apiKey(id: $id) { requests${requestField} } }`,
    { id, ...page },
  );
  const requests = answer.data.apiKey?.requests;
  if (requests == null) throw new Error(answer.text);
  return requests;
}
