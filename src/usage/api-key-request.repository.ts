import type { Transaction } from '../database/database';
import { parseAddress } from '../kernel/address';
import { cutPage, encodeCursor, type Page, type PageRequest } from '../kernel/pages';
import {
  requestListName,
  type ApiKeyRequest,
  type ApiKeyRequestFilter,
  type RequestsOf,
} from './api-key-request';

/**
 * How many requests are looked at for one page, at most, where no index tells which ones meet the
 * filter: about 25 ms of the database's time.
 */
const maxExamined = 50_000;

const columns = `id, at, organization_id AS "organizationId", api_key_id AS "apiKeyId",
  request_id AS "requestId", service, operation, outcome, ip, user_agent AS "userAgent",
  duration_ms AS "durationMs"`;

// The driver's rows come as these types by the columns' definitions.
type Row = ApiKeyRequest & {
  readonly id: string;
  /** Not found: the last one that was looked at, with more behind it. */
  readonly isLastExamined: boolean;
};

/** Reads the recorded requests of one organization, newest first. */
export class ApiKeyRequestRepository {
  /** One page of the requests that meet the filter. */
  async page(
    tx: Transaction,
    of: RequestsOf,
    filter: ApiKeyRequestFilter,
    request: PageRequest,
  ): Promise<Page<ApiKeyRequest>> {
    const [sql, values] = pageQuery(of, filter, request);
    const rows: Row[] = await tx.query(sql, [...values]);
    const name = requestListName(of);
    const cursorOf = ({ at, id }: Row): string => {
      return encodeCursor({ value: at.toISOString(), id }, name);
    };
    const found = rows.filter(({ isLastExamined }) => !isLastExamined);
    const page = cutPage(
      found.map((node) => ({ cursor: cursorOf(node), node })),
      request,
    );
    const last = rows.find(({ isLastExamined }) => isLastExamined);
    return last === undefined ? page : { ...page, hasNextPage: true, endCursor: cursorOf(last) };
  }
}

// What an index finds stands inside; what has to be looked at one by one stands around it, and how
// many are looked at is bounded. One statement, so that both halves see the same requests.
function pageQuery(
  of: RequestsOf,
  filter: ApiKeyRequestFilter,
  request: PageRequest,
): readonly [sql: string, values: readonly unknown[]] {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const examined = `SELECT * FROM api_key_requests
    WHERE ${indexed(of, filter, request, bind).join(' AND ')} ORDER BY at DESC, id DESC`;
  const remaining = looked(filter, bind);
  const limit = bind(request.size + 1);
  if (remaining.length === 0) {
    return [
      `SELECT ${columns}, false AS "isLastExamined" FROM (${examined} LIMIT ${limit}) f`,
      values,
    ];
  }
  return [
    `WITH found AS (
       SELECT * FROM (${examined} LIMIT ${String(maxExamined)}) AS examined
       WHERE ${remaining.join(' AND ')} LIMIT ${limit}
     ), last_examined AS (
       SELECT * FROM (${examined} OFFSET ${String(maxExamined - 1)} LIMIT 1) AS examined
       WHERE (SELECT count(*) FROM found) < ${limit}
     )
     SELECT ${columns}, false AS "isLastExamined" FROM found
     UNION ALL SELECT ${columns}, true FROM last_examined
     ORDER BY "isLastExamined", at DESC, id DESC`,
    values,
  ];
}

type Bind = (value: unknown) => string;

function indexed(
  { organizationId, apiKeyId }: RequestsOf,
  { requestId, from, to, outcome }: ApiKeyRequestFilter,
  { after }: PageRequest,
  bind: Bind,
): string[] {
  const conditions = [`organization_id = ${bind(organizationId)}`];
  if (apiKeyId !== undefined) conditions.push(`api_key_id = ${bind(apiKeyId)}`);
  if (requestId != null) conditions.push(`request_id = ${bind(requestId)}`);
  if (from != null) conditions.push(`at >= ${bind(from)}`);
  if (to != null) conditions.push(`at < ${bind(to)}`);
  // Follows from the outcomes, but PostgreSQL does not see it, and there is an index of these.
  if (outcome?.includes('VALID') === false) conditions.push(`outcome <> 'VALID'`);
  if (after !== undefined) {
    // The first alone tells which partitions need not be read.
    const [at, id] = [bind(after.value), bind(after.id)];
    conditions.push(`at <= ${at}::timestamptz`, `(at, id) < (${at}::timestamptz, ${id}::uuid)`);
  }
  return conditions;
}

function looked({ outcome, ip, service, operation }: ApiKeyRequestFilter, bind: Bind): string[] {
  const conditions: string[] = [];
  if (outcome != null) conditions.push(`outcome = ANY(${bind(outcome)})`);
  if (ip != null) conditions.push(`ip = ${bind(parseAddress(ip) ?? ip)}`);
  if (service != null) conditions.push(`service = ${bind(service)}`);
  if (operation != null) conditions.push(`operation = ${bind(operation)}`);
  return conditions;
}
