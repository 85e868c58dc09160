import { InputError } from '../kernel/errors';
import type { ApiKeyId, OrganizationId } from '../kernel/ids';
import type { KeyRequest, VerificationOutcome } from '../kernel/key-request';
import { checkText } from '../kernel/text';

/** A request made with a key, or a verification of a secret, as it was recorded. */
export type ApiKeyRequest = Omit<KeyRequest, 'durationMs'> & { readonly durationMs: number | null };

/** Which requests: those that meet every member given. */
export interface ApiKeyRequestFilter {
  readonly requestId?: string | null | undefined;
  /** From this instant on. */
  readonly from?: Date | null | undefined;
  /** Before this instant. */
  readonly to?: Date | null | undefined;
  /** Any of these. */
  readonly outcome?: readonly VerificationOutcome[] | null | undefined;
  readonly ip?: string | null | undefined;
  readonly service?: string | null | undefined;
  readonly operation?: string | null | undefined;
}

/** Whose requests. */
export interface RequestsOf {
  readonly organizationId: OrganizationId;
  /** undefined: those of all keys, and what was no key's. */
  readonly apiKeyId?: ApiKeyId | undefined;
}

/**
 * Passes a filter on, checked.
 * @throws InputError naming the member: text with control characters or over 500 characters, `from`
 * not before `to`, or a list of outcomes that is empty or longer than 50
 */
export function checkRequestFilter(filter: ApiKeyRequestFilter): ApiKeyRequestFilter {
  for (const name of ['requestId', 'ip', 'service', 'operation'] as const) {
    const text = filter[name];
    if (text != null) checkText(text, `filter.${name}`, { max: 500 });
  }
  const { from, to, outcome } = filter;
  if (from != null && to != null && from >= to) {
    throw new InputError('filter.from', 'filter.from must lie before filter.to.');
  }
  if (outcome?.length === 0 || (outcome?.length ?? 0) > 50) {
    throw new InputError('filter.outcome', 'filter.outcome takes 1 to 50 outcomes.');
  }
  return filter;
}

/** Names a list, so that its cursors are refused by any other list and any other organization. */
export function requestListName({ organizationId, apiKeyId }: RequestsOf): string {
  return `api_key_requests of ${organizationId} ${apiKeyId ?? 'all'}`;
}
