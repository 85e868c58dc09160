import type { AuditService } from '../audit/audit.service';
import { databaseNow, type Database } from '../database/database';
import { NotFoundError } from '../kernel/errors';
import { parseApiKeyId } from '../kernel/ids';
import type { Caller } from '../kernel/principal';
import type { ApiKey, ApiKeyLabels } from './api-key';
import { checkLabels, type LabelsInput } from './api-key-input';
import type { ApiKeyRepository } from './api-key.repository';
import type { CallerGuard } from './caller-guard.service';

/** Changes what people wrote on a key, never what its secret may do. */
export class UpdateService {
  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeyRepository,
    private readonly guard: CallerGuard,
    private readonly audit: AuditService,
  ) {}

  /**
   * Changes labels, with an audit event of what changed, in one transaction. What is left out stays
   * as it is; null clears. Changing nothing records nothing.
   * @throws NotFoundError when the caller's organization has no such key
   * @throws InputError naming the member of `input` at fault
   */
  async update(caller: Caller, input: LabelsInput & { readonly id: string }): Promise<ApiKey> {
    const { organizationId } = caller.principal;
    const id = parseApiKeyId(input.id);
    if (id === undefined) throw noSuchKey();
    return this.database.transaction(async (tx) => {
      await this.guard.admit(tx, caller.principal, [id]);
      const key = await this.keys.find(tx, organizationId, id);
      if (key === undefined) throw noSuchKey();
      const labels = checkLabels(input, key);
      const changes = labelChanges(key, labels);
      if (Object.keys(changes).length === 0) return key;
      await this.keys.setLabels(tx, key, labels);
      await this.audit.record(tx, caller, await databaseNow(tx), {
        action: 'api_key.updated',
        targetType: 'ApiKey',
        targetId: id,
        targetName: key.name,
        changes,
      });
      return { ...key, ...labels };
    });
  }
}

/** The one answer to ids of no key, of another organization's key, and of no possible key. */
export function noSuchKey(): NotFoundError {
  return new NotFoundError('There is no such API key in your organization.');
}

function labelChanges(before: ApiKeyLabels, after: ApiKeyLabels) {
  const was = new Map<string, unknown>(Object.entries(before));
  const is = new Map<string, unknown>(Object.entries(after));
  return Object.fromEntries(
    [...is]
      .map(([field, to]): [string, { from: unknown; to: unknown }] => [
        field,
        { from: was.get(field) ?? null, to },
      ])
      .filter(([, { from, to }]) => JSON.stringify(from) !== JSON.stringify(to)),
  );
}
