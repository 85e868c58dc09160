import { InputError } from '../kernel/errors';
import { parseApiKeyId, type ApiKeyId, type OrganizationId } from '../kernel/ids';
import {
  badCursor,
  isInstant,
  parsePage,
  type PageArguments,
  type PageRequest,
} from '../kernel/pages';
import type { Environment } from '../kernel/principal';
import { checkText } from '../kernel/text';
import type { ApiKey, ApiKeyStatus } from './api-key';

/** What a list of keys can be sorted by. */
export type ApiKeyOrderField = 'CREATED_AT' | 'NAME' | 'EXPIRES_AT' | 'LAST_USED_AT';

/** How a list of keys is sorted; equal sort values by id. */
export interface ApiKeyOrder {
  readonly field: ApiKeyOrderField;
  readonly direction: 'ASC' | 'DESC';
}

/** Newest first. */
export const defaultOrder: ApiKeyOrder = { field: 'CREATED_AT', direction: 'DESC' };

/** Which keys a list holds: those that meet every member given. */
export interface ApiKeyFilter {
  /** Any of these. */
  readonly status?: readonly ApiKeyStatus[] | null | undefined;
  readonly environment?: Environment | null | undefined;
  /** All of these, as granted. */
  readonly scopes?: readonly string[] | null | undefined;
  /** Part of the name, description or prefix, in any case. */
  readonly search?: string | null | undefined;
  readonly owner?: string | null | undefined;
  readonly application?: string | null | undefined;
  /** All of these. */
  readonly tags?: readonly string[] | null | undefined;
  /** An actor's id. */
  readonly createdBy?: string | null | undefined;
  readonly expiresBefore?: Date | null | undefined;
  /** Last used before then, or never. */
  readonly unusedSince?: Date | null | undefined;
  readonly createdBefore?: Date | null | undefined;
}

/** What is read of a key that meets a filter when many do. */
export interface MetKey {
  readonly id: ApiKeyId;
  readonly name: string;
  readonly status: ApiKeyStatus;
}

/** Whether a filter is met by every key there is: nothing in it narrows. */
export function isEmptyFilter(filter: ApiKeyFilter): boolean {
  return Object.values(filter).every(
    (value) => value == null || value === '' || (Array.isArray(value) && value.length === 0),
  );
}

/**
 * Passes a filter on, checked.
 * @param path where the filter stands in the arguments
 * @throws InputError naming the member: text with control characters or over 500 characters, lists
 * of more than 50, or an empty list of statuses, which nothing could meet
 */
export function checkFilter(filter: ApiKeyFilter, path = 'filter'): ApiKeyFilter {
  for (const name of ['search', 'owner', 'application', 'createdBy'] as const) {
    const text = filter[name];
    if (text != null) checkText(text, `${path}.${name}`, { max: 500 });
  }
  for (const name of ['scopes', 'tags'] as const) {
    const list = filter[name] ?? [];
    const field = `${path}.${name}`;
    if (list.length > 50) throw new InputError(field, `${field} takes at most 50.`);
    list.forEach((text, index) => checkText(text, `${field}.${index}`, { max: 500 }));
  }
  if (filter.status?.length === 0) {
    const field = `${path}.status`;
    throw new InputError(field, `${field} must name a status, or be left out.`);
  }
  return filter;
}

/** Names a list, so that its cursors are refused by any other list and any other organization. */
export function listName(organizationId: OrganizationId, order: ApiKeyOrder): string {
  return `api_keys of ${organizationId} by ${order.field} ${order.direction}`;
}

/** What a key is sorted by, as its cursor carries it: a name, or an instant as ISO 8601 has it. */
export function sortValueOf(key: ApiKey, field: ApiKeyOrderField): string {
  switch (field) {
    case 'CREATED_AT':
      return key.createdAt.toISOString();
    case 'NAME':
      return key.name;
    case 'EXPIRES_AT':
      return key.expiresAt?.toISOString() ?? 'infinity';
    case 'LAST_USED_AT':
      return key.lastUsedAt?.toISOString() ?? '-infinity';
  }
}

/**
 * Checks Relay's arguments of a list.
 * @throws InputError naming the argument
 */
export function parseListPage(
  given: PageArguments,
  organizationId: OrganizationId,
  order: ApiKeyOrder,
): PageRequest {
  const request = parsePage(given, listName(organizationId, order));
  for (const name of ['after', 'before'] as const) {
    const cursor = request[name];
    if (cursor === undefined) continue;
    const { value, id } = cursor;
    // Cursors are not signed: what the database cannot read was written by somebody else.
    const readable =
      order.field === 'NAME'
        ? !value.includes('\0')
        : /^-?infinity$/.test(value) || isInstant(value);
    if (!readable || parseApiKeyId(id) === undefined) throw badCursor(name);
  }
  return request;
}
