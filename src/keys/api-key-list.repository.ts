import type { SelectQueryBuilder } from 'typeorm';
import { sqlState } from '../database/failures';
import type { Transaction } from '../database/database';
import { InputError } from '../kernel/errors';
import type { OrganizationId } from '../kernel/ids';
import { cutPage, encodeCursor, type Cursor, type Page, type PageRequest } from '../kernel/pages';
import type { ApiKey } from './api-key';
import { ApiKeyEntity, ApiKeyLastUseEntity } from './api-key.entity';
import type { ApiKeyFilter, ApiKeyOrder, ApiKeyOrderField } from './api-key-list';
import { toApiKey } from './api-key.repository';

/** Up to here a total is exact; a longer list's total is this number. */
export const maxTotalCount = 100_000;

// Each sort value has an index that begins with the organization and ends with the id. Null dates
// stand for "never", so they sort as the end (or the beginning) of time.
const sortValues: Record<ApiKeyOrderField, { readonly sql: string; readonly type: string }> = {
  CREATED_AT: { sql: 'key.created_at', type: 'timestamptz' },
  NAME: { sql: 'lower(key.name) COLLATE "C"', type: 'text' },
  EXPIRES_AT: { sql: `coalesce(key.expires_at, 'infinity'::timestamptz)`, type: 'timestamptz' },
  LAST_USED_AT: { sql: 'used.last_used_at', type: 'timestamptz' },
};

type Query = SelectQueryBuilder<ApiKeyEntity>;

/** Reads an organization's keys page by page, by keyset: a page costs the same wherever it lies. */
export class ApiKeyListRepository {
  /**
   * One page of the keys that meet the filter.
   * @throws InputError when a cursor holds what no row of the list could
   */
  async page(
    tx: Transaction,
    organizationId: OrganizationId,
    filter: ApiKeyFilter,
    order: ApiKeyOrder,
    request: PageRequest,
  ): Promise<Page<ApiKey>> {
    const { sql } = sortValues[order.field];
    const descending = (order.direction === 'DESC') !== request.backward;
    const query = listQuery(tx, organizationId, filter, order.field === 'LAST_USED_AT')
      .addSelect(`(${sql})::text`, 'sort_value')
      .orderBy(sql, descending ? 'DESC' : 'ASC')
      .addOrderBy('key.id', descending ? 'DESC' : 'ASC')
      .limit(request.size + 1);
    const ascending = order.direction === 'ASC';
    if (request.after) beyond(query, order.field, request.after, ascending ? '>' : '<', 'after');
    if (request.before) beyond(query, order.field, request.before, ascending ? '<' : '>', 'before');
    const { entities, raw } = await refuseBadCursors(request, () =>
      query.getRawAndEntities<{ sort_value: string }>(),
    );
    const rows = entities.map((entity, index) => ({
      node: toApiKey(entity),
      cursor: encodeCursor(
        { value: raw[index]?.sort_value ?? '', id: entity.id },
        orderName(order),
      ),
    }));
    return cutPage(rows, request);
  }

  /** How many keys meet the filter; counted up to `maxTotalCount`. */
  async count(
    tx: Transaction,
    organizationId: OrganizationId,
    filter: ApiKeyFilter,
  ): Promise<number> {
    const query = listQuery(tx, organizationId, filter, false).select('1').limit(maxTotalCount);
    const [sql, parameters] = query.getQueryAndParameters();
    const rows: { count: number }[] = await tx.query(
      `SELECT count(*)::int AS count FROM (${sql}) AS listed`,
      parameters,
    );
    return rows[0]?.count ?? 0;
  }
}

/** Names an order, so that a cursor of one is refused by another. */
export function orderName(order: ApiKeyOrder): string {
  return `api_keys ${order.field} ${order.direction}`;
}

function listQuery(
  tx: Transaction,
  organizationId: OrganizationId,
  filter: ApiKeyFilter,
  sortedByUse: boolean,
): Query {
  const query = tx.createQueryBuilder(ApiKeyEntity, 'key');
  if (sortedByUse || filter.unusedSince != null) {
    query.innerJoin(ApiKeyLastUseEntity, 'used', 'used.api_key_id = key.id');
  }
  // The sorting index of last uses begins with its own copy of the organization.
  if (sortedByUse) query.where('used.organization_id = :organizationId');
  query.andWhere('key.organization_id = :organizationId', { organizationId });
  return applyFilter(query, filter);
}

function applyFilter(query: Query, filter: ApiKeyFilter): Query {
  const conditions: Record<keyof ApiKeyFilter, string> = {
    status: 'api_key_status(key) = ANY(:status)',
    environment: 'key.environment = :environment',
    scopes: 'key.scopes @> :scopes',
    search: `(key.name ILIKE :search OR key.description ILIKE :search OR key.prefix ILIKE :search)`,
    owner: 'key.owner = :owner',
    application: 'key.application = :application',
    tags: 'key.tags @> :tags',
    createdBy: 'key.created_by_id = :createdBy',
    expiresBefore: 'key.expires_at < :expiresBefore',
    unusedSince: 'used.last_used_at < :unusedSince',
    createdBefore: 'key.created_at < :createdBefore',
  };
  const values = { ...filter, search: filter.search == null ? null : likePattern(filter.search) };
  for (const [name, condition] of Object.entries(conditions)) {
    const value = Object.entries(values).find(([member]) => member === name)?.[1];
    if (value != null) query.andWhere(condition, { [name]: value });
  }
  return query;
}

function likePattern(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

function beyond(
  query: Query,
  field: ApiKeyOrderField,
  cursor: Cursor,
  comparison: '<' | '>',
  name: string,
): void {
  const { sql, type } = sortValues[field];
  query.andWhere(
    `(${sql}, key.id) ${comparison} (CAST(:${name}Value AS ${type}), CAST(:${name}Id AS uuid))`,
    { [`${name}Value`]: cursor.value, [`${name}Id`]: cursor.id },
  );
}

// A cursor is not signed: somebody may have written one. What it holds is data to the database,
// inside the organization; values that are none (SQLSTATE class 22) are the cursor's fault.
async function refuseBadCursors<Result>(
  request: PageRequest,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const given = request.after === undefined ? 'before' : 'after';
    const hasCursor = request.after !== undefined || request.before !== undefined;
    if (!hasCursor || sqlState(error)?.startsWith('22') !== true) throw error;
    throw new InputError(given, `${given} is not a cursor of this list.`);
  }
}
