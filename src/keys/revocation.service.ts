import type { AuditEntry } from '../audit/audit-event';
import type { AuditService } from '../audit/audit.service';
import { databaseNow, type Database } from '../database/database';
import { InputError } from '../kernel/errors';
import { parseApiKeyId, type ApiKeyId } from '../kernel/ids';
import type { Caller } from '../kernel/principal';
import { checkText } from '../kernel/text';
import type { ApiKey, Revocation, RevocationReason } from './api-key';
import { limits } from './api-key-input';
import type { ApiKeyRepository } from './api-key.repository';
import type { CallerGuard } from './caller-guard.service';
import type { SuccessionRepository } from './succession.repository';
import { successorNotice } from './successor-notice';
import { noSuchKey } from './update.service';

/** Why a key is revoked, as a client sends it. */
export interface RevocationInput {
  readonly reason: RevocationReason;
  readonly note?: string | null | undefined;
}

/** A revoked key, and what else the revoker should know. */
export interface RevokedKey {
  readonly apiKey: ApiKey;
  /** Which successors of it still work; null: none does. */
  readonly notice: string | null;
}

/** Ends keys at once and for ever. */
export class RevocationService {
  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeyRepository,
    private readonly successions: SuccessionRepository,
    private readonly guard: CallerGuard,
    private readonly audit: AuditService,
  ) {}

  /**
   * Revokes a key: once this has returned, no replica lets it in. Repeating it changes nothing and
   * answers with the first revocation. A successor is not revoked with it, but named.
   * @throws NotFoundError when the caller's organization has no such key
   * @throws InputError naming `input.note`
   */
  async revoke(
    caller: Caller,
    input: RevocationInput & { readonly id: string },
  ): Promise<RevokedKey> {
    const id = parseApiKeyId(input.id);
    const note = checkNote(input.note, 'input.note');
    if (id === undefined) throw noSuchKey();
    return this.#revoke(caller, id, { reason: input.reason, note });
  }

  /**
   * Revokes the key that asks.
   * @throws InputError naming `note`, or when the caller is no key
   */
  async revokeCurrent(caller: Caller, input: RevocationInput): Promise<RevokedKey> {
    const { principal } = caller;
    const note = checkNote(input.note, 'note');
    if (principal.kind !== 'API_KEY') {
      throw new InputError('reason', 'Only an API key can revoke itself; use revokeApiKey.');
    }
    return this.#revoke(caller, principal.apiKeyId, { reason: input.reason, note });
  }

  async #revoke(caller: Caller, id: ApiKeyId, why: Why): Promise<RevokedKey> {
    const { principal } = caller;
    const { organizationId } = principal;
    return this.database.transaction(async (tx) => {
      await this.guard.admit(tx, principal, [id]);
      const key = await this.keys.find(tx, organizationId, id);
      if (key === undefined) throw noSuchKey();
      const successors = await this.successions.findWorkingSuccessors(tx, organizationId, [id]);
      const notice = successorNotice(successors);
      if (key.revocation !== null) return { apiKey: key, notice };
      const revocation: Revocation = { at: await databaseNow(tx), by: principal.actor, ...why };
      await this.keys.setRevocation(tx, key, revocation);
      await this.audit.record(tx, caller, revocation.at, revokedEvent(key, why));
      return { apiKey: { ...key, status: 'REVOKED', revocation }, notice };
    });
  }
}

type Why = Pick<Revocation, 'reason' | 'note'>;

/** The event of a revocation; the key as it was before. */
export function revokedEvent(
  { id, name, status }: Pick<ApiKey, 'id' | 'name' | 'status'>,
  { reason, note }: Why,
): AuditEntry {
  return {
    action: 'api_key.revoked',
    targetType: 'ApiKey',
    targetId: id,
    targetName: name,
    changes: {
      status: { from: status, to: 'REVOKED' },
      reason: { from: null, to: reason },
      note: { from: null, to: note },
    },
  };
}

/**
 * A note to a revocation.
 * @throws InputError naming `field` when it is too long
 */
export function checkNote(note: string | null | undefined, field: string): string | null {
  return note == null ? null : checkText(note, field, { max: limits.note });
}
