import type { SelectQueryBuilder } from 'typeorm';
import type { Transaction } from '../database/database';
import { countTotal } from '../database/list-total';
import type { ApiKeyId, OrganizationId } from '../kernel/ids';
import { cutPage, encodeCursor, type Cursor, type Page, type PageRequest } from '../kernel/pages';
import type { ApiKey } from './api-key';
import { ApiKeyEntity, ApiKeyLastUseEntity } from './api-key.entity';
import {
  listName,
  sortValueOf,
  type ApiKeyFilter,
  type ApiKeyOrder,
  type ApiKeyOrderField,
  type MetKey,
} from './api-key-list';
import { toApiKey } from './api-key.repository';

interface SortedIndex {
  /** The columns after the organization, which is first in every index. */
  readonly columns: readonly [value: string, id: string];
  /** What makes the first column of a cursor's value. */
  readonly place: (value: string) => string;
}

const instant = (value: string): string => `CAST(${value} AS timestamptz)`;
const folded = (text: string): string => `lower(${text}) COLLATE "C"`;

// Null dates stand for "never", so they sort as the end of time.
const sortedIndexes: Record<ApiKeyOrderField, SortedIndex> = {
  CREATED_AT: { columns: ['key.created_at', 'key.id'], place: instant },
  NAME: { columns: [folded('key.name'), 'key.id'], place: folded },
  EXPIRES_AT: {
    columns: [`coalesce(key.expires_at, 'infinity'::timestamptz)`, 'key.id'],
    place: instant,
  },
  LAST_USED_AT: { columns: ['used.last_used_at', 'used.api_key_id'], place: instant },
};

// Written so that the indexes of the sorted lists and of single members answer them.
const conditions: readonly (readonly [keyof ApiKeyFilter, string])[] = [
  ['status', 'api_key_status(key) = ANY(:status)'],
  ['environment', 'key.environment = :environment'],
  ['scopes', 'key.scopes @> :scopes'],
  // No text holds a line break, so nothing is found across two of them.
  [
    'search',
    `strpos(lower(concat_ws(chr(10), key.name, key.description, key.prefix)), lower(:search)) > 0`,
  ],
  ['owner', 'key.owner = :owner'],
  ['application', 'key.application = :application'],
  ['tags', 'key.tags @> :tags'],
  ['createdBy', 'key.created_by_id = :createdBy'],
  ['expiresBefore', `coalesce(key.expires_at, 'infinity'::timestamptz) < :expiresBefore`],
  ['unusedSince', 'used.last_used_at < :unusedSince'],
  ['createdBefore', 'key.created_at < :createdBefore'],
];

type Query = SelectQueryBuilder<ApiKeyEntity>;

/** Reads an organization's keys page by page, by keyset: a page costs the same wherever it lies. */
export class ApiKeyListRepository {
  /** One page of the keys that meet the filter. */
  async page(
    tx: Transaction,
    organizationId: OrganizationId,
    filter: ApiKeyFilter,
    order: ApiKeyOrder,
    request: PageRequest,
  ): Promise<Page<ApiKey>> {
    const query = listQuery(tx, organizationId, filter, order.field === 'LAST_USED_AT');
    const forward = order.direction === 'ASC' ? '>' : '<';
    const backward = order.direction === 'ASC' ? '<' : '>';
    if (request.after) beyond(query, order.field, request.after, forward, 'after');
    if (request.before) beyond(query, order.field, request.before, backward, 'before');
    const direction = (order.direction === 'ASC') === request.backward ? 'DESC' : 'ASC';
    const [value, id] = sortedIndexes[order.field].columns;
    query
      .orderBy(value, direction)
      .addOrderBy(id, direction)
      .limit(request.size + 1);
    const name = listName(organizationId, order);
    const rows = (await query.getMany()).map((row) => {
      const node = toApiKey(row);
      return {
        node,
        cursor: encodeCursor({ value: sortValueOf(node, order.field), id: node.id }, name),
      };
    });
    return cutPage(rows, request);
  }

  /**
   * The keys that meet the filter and are not revoked, in the order of their ids.
   * @param among looks only among these; undefined: among all
   */
  async meet(
    tx: Transaction,
    organizationId: OrganizationId,
    filter: ApiKeyFilter,
    { among, limit }: { readonly among: readonly ApiKeyId[] | undefined; readonly limit: number },
  ): Promise<MetKey[]> {
    const query = listQuery(tx, organizationId, filter, false)
      .andWhere(`key.revoked_at IS NULL AND api_key_status(key) <> 'REVOKED'`)
      .select('key.id', 'id')
      .addSelect('key.name', 'name')
      .addSelect('api_key_status(key)', 'status')
      .orderBy('key.id')
      .limit(limit);
    if (among !== undefined) query.andWhere('key.id = ANY(:among)', { among });
    return query.getRawMany<MetKey>();
  }

  /** How many keys meet the filter; counted up to 100,000. */
  async count(
    tx: Transaction,
    organizationId: OrganizationId,
    filter: ApiKeyFilter,
  ): Promise<number> {
    return countTotal(tx, listQuery(tx, organizationId, filter, false));
  }
}

function listQuery(
  tx: Transaction,
  organizationId: OrganizationId,
  filter: ApiKeyFilter,
  sortedByUse: boolean,
): Query {
  const query = tx.createQueryBuilder(ApiKeyEntity, 'key');
  query.where('key.organization_id = :organizationId', { organizationId });
  if (sortedByUse || filter.unusedSince != null) {
    const sameKey = 'used.organization_id = key.organization_id AND used.api_key_id = key.id';
    query.innerJoin(ApiKeyLastUseEntity, 'used', sameKey);
  }
  for (const [name, condition] of conditions) {
    const value = filter[name];
    if (value != null) query.andWhere(condition, { [name]: value });
  }
  // Follows from the status, but PostgreSQL does not see it, and there is an index of these.
  if (filter.status?.includes('REVOKED') === false) query.andWhere('key.revoked_at IS NULL');
  return query;
}

function beyond(
  query: Query,
  field: ApiKeyOrderField,
  cursor: Cursor,
  comparison: '<' | '>',
  name: 'after' | 'before',
): void {
  const { columns, place } = sortedIndexes[field];
  query.andWhere(
    `(${columns.join(', ')}) ${comparison} (${place(`:${name}Value`)}, CAST(:${name}Id AS uuid))`,
    { [`${name}Value`]: cursor.value, [`${name}Id`]: cursor.id },
  );
}
