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
import { noSuchKey } from './update.service';

/** Why a key is revoked, as a client sends it. */
export interface RevocationInput {
  readonly reason: RevocationReason;
  readonly note?: string | null | undefined;
}

/** Ends keys at once and for ever. */
export class RevocationService {
  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeyRepository,
    private readonly guard: CallerGuard,
    private readonly audit: AuditService,
  ) {}

  /**
   * Revokes a key: once this has returned, no replica lets it in. Repeating it changes nothing and
   * answers with the first revocation.
   * @throws NotFoundError when the caller's organization has no such key
   * @throws InputError naming `input.note`
   */
  async revoke(caller: Caller, input: RevocationInput & { readonly id: string }): Promise<ApiKey> {
    const id = parseApiKeyId(input.id);
    const note = checkNote(input.note, 'input.note');
    if (id === undefined) throw noSuchKey();
    return this.#revoke(caller, id, { reason: input.reason, note });
  }

  /**
   * Revokes the key that asks.
   * @throws InputError naming `note`, or when the caller is no key
   */
  async revokeCurrent(caller: Caller, input: RevocationInput): Promise<ApiKey> {
    const { principal } = caller;
    const note = checkNote(input.note, 'note');
    if (principal.kind !== 'API_KEY') {
      throw new InputError('reason', 'Only an API key can revoke itself; use revokeApiKey.');
    }
    return this.#revoke(caller, principal.apiKeyId, { reason: input.reason, note });
  }

  async #revoke(
    caller: Caller,
    id: ApiKeyId,
    why: Pick<Revocation, 'reason' | 'note'>,
  ): Promise<ApiKey> {
    const { organizationId, actor } = caller.principal;
    return this.database.transaction(async (tx) => {
      await this.guard.admit(tx, caller.principal, [id]);
      const key = await this.keys.find(tx, organizationId, id);
      if (key === undefined) throw noSuchKey();
      if (key.revocation !== null) return key;
      const revocation: Revocation = { at: await databaseNow(tx), by: actor, ...why };
      await this.keys.setRevocation(tx, key, revocation);
      await this.audit.record(tx, caller, revocation.at, {
        action: 'api_key.revoked',
        targetType: 'ApiKey',
        targetId: id,
        targetName: key.name,
        changes: {
          status: { from: key.status, to: 'REVOKED' },
          reason: { from: null, to: why.reason },
          note: { from: null, to: why.note },
        },
      });
      return { ...key, status: 'REVOKED', revocation };
    });
  }
}

function checkNote(note: string | null | undefined, field: string): string | null {
  return note == null ? null : checkText(note, field, { max: limits.note });
}
