import type { AuditService } from '../audit/audit.service';
import { databaseNow, type Database, type Transaction } from '../database/database';
import { InputError } from '../kernel/errors';
import type { ApiKeyId } from '../kernel/ids';
import { pageSize } from '../kernel/pages';
import type { Caller, KnownPrincipal } from '../kernel/principal';
import type { ApiKey } from './api-key';
import { checkFilter, isEmptyFilter, type ApiKeyFilter, type MetKey } from './api-key-list';
import type { ApiKeyListRepository } from './api-key-list.repository';
import type { ApiKeyRepository } from './api-key.repository';
import type { BulkRevocationRepository } from './bulk-revocation.repository';
import type { CallerGuard } from './caller-guard.service';
import { checkNote, revokedEvent, type RevocationInput } from './revocation.service';
import type { SuccessionRepository } from './succession.repository';
import { successorNotice } from './successor-notice';

/** How many keys can be revoked at a time: measured, 1,000 take half of the 100 ms a request may. */
const maxBulkRevocation = 1000;

/** Which keys to revoke and why, as a client sends it. */
export interface BulkRevocationInput extends RevocationInput {
  readonly filter: ApiKeyFilter;
  /** true: only tell which ones. */
  readonly dryRun?: boolean | null | undefined;
}

/** What a bulk revocation did, or would do. */
export interface BulkRevocation {
  readonly count: number;
  /** The first of them, a page at most, as they are afterwards. */
  readonly apiKeys: readonly ApiKey[];
  readonly notice: string | null;
}

/** What revoking many keys needs of others. */
export interface BulkRevocationParts {
  readonly database: Database;
  readonly keys: ApiKeyRepository;
  readonly lists: ApiKeyListRepository;
  readonly revocations: BulkRevocationRepository;
  readonly successions: SuccessionRepository;
  readonly guard: CallerGuard;
  readonly audit: AuditService;
}

/** Revokes all keys that meet a filter. */
export class BulkRevocationService {
  constructor(private readonly parts: BulkRevocationParts) {}

  /**
   * Revokes every key of the organization that meets the filter and is not revoked yet, each with
   * its audit event, in one transaction. The caller's own key is one of them if it meets the
   * filter. A dry run changes nothing and answers alike.
   * @throws InputError naming the member of `input` at fault: `input.filter` when it is empty or
   * when it is met by more than `maxBulkRevocation` keys
   */
  async revoke(caller: Caller, input: BulkRevocationInput): Promise<BulkRevocation> {
    const note = checkNote(input.note, 'input.note');
    const filter = checkFilter(input.filter, 'input.filter');
    if (isEmptyFilter(filter)) {
      throw new InputError(
        'input.filter',
        'input.filter must say which keys: an empty one would be met by every key.',
      );
    }
    if (input.dryRun === true) return this.#rehearse(caller.principal, filter);
    const why = { reason: input.reason, note };
    return this.parts.database.transaction(async (tx) => this.#revoke(tx, caller, filter, why));
  }

  async #rehearse(principal: KnownPrincipal, filter: ApiKeyFilter): Promise<BulkRevocation> {
    return this.parts.database.read(async (tx) => {
      const met = await this.#meet(tx, principal, filter);
      return this.#describe(tx, principal, met);
    });
  }

  async #revoke(
    tx: Transaction,
    caller: Caller,
    filter: ApiKeyFilter,
    why: { readonly reason: RevocationInput['reason']; readonly note: string | null },
  ): Promise<BulkRevocation> {
    const { successions, guard, revocations, audit } = this.parts;
    const { principal } = caller;
    const { organizationId, actor } = principal;
    await successions.lock(tx, organizationId, 'exclusive');
    const found = await this.#meet(tx, principal, filter);
    const foundIds = found.map(({ id }) => id);
    await guard.admit(tx, principal, foundIds);
    // Before they were locked, others may have revoked or renamed some.
    const met = await this.#meet(tx, principal, filter, foundIds);
    const ids = met.map(({ id }) => id);
    const at = await databaseNow(tx);
    await revocations.setRevocations(tx, organizationId, ids, { at, by: actor, ...why });
    const described = await this.#describe(tx, principal, met);
    await audit.record(tx, caller, at, ...met.map((key) => revokedEvent(key, why)));
    return described;
  }

  async #meet(
    tx: Transaction,
    principal: KnownPrincipal,
    filter: ApiKeyFilter,
    among?: readonly ApiKeyId[],
  ): Promise<readonly MetKey[]> {
    const { organizationId } = principal;
    const limit = maxBulkRevocation + 1;
    const met = await this.parts.lists.meet(tx, organizationId, filter, { among, limit });
    if (met.length === limit) {
      throw new InputError(
        'input.filter',
        `input.filter is met by more than ${maxBulkRevocation} keys. Narrow it, by createdBefore for example, and revoke them in parts.`,
      );
    }
    const own = principal.kind === 'API_KEY' ? principal.apiKeyId : undefined;
    // The key that asks is in use at this moment, though its use is recorded only with the answer.
    const others = met.filter(({ id }) => id !== own);
    if (others.length === met.length || filter.unusedSince != null) return others;
    return [...others, ...met.filter(({ id }) => id === own)];
  }

  async #describe(
    tx: Transaction,
    { organizationId }: KnownPrincipal,
    met: readonly MetKey[],
  ): Promise<BulkRevocation> {
    const { keys, successions } = this.parts;
    const ids = met.map(({ id }) => id);
    const shown = ids.slice(0, pageSize.max);
    const found = await keys.findByIds(tx, organizationId, shown);
    const byId = new Map(found.map((key) => [key.id, key]));
    const apiKeys = shown.map((id) => byId.get(id)).filter((key) => key !== undefined);
    const successors = await successions.findWorkingSuccessors(tx, organizationId, ids);
    return { count: met.length, apiKeys, notice: successorNotice(successors) };
  }
}
