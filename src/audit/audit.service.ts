import type { Transaction } from '../database/database';
import type { Caller } from '../kernel/principal';
import type { AuditEntry } from './audit-event';
import type { AuditRepository } from './audit.repository';

/** Keeps the record of who changed what. */
export class AuditService {
  constructor(private readonly repository: AuditRepository) {}

  /**
   * Records a change in the transaction that makes it: if the event cannot be written, nothing
   * changes.
   * @param at the instant of the change, by the database's clock
   */
  async record(tx: Transaction, caller: Caller, at: Date, entry: AuditEntry): Promise<void> {
    const { organizationId, actor } = caller.principal;
    const { requestId, ip } = caller;
    await this.repository.add(tx, { organizationId, actor, requestId, ip, at }, entry);
  }
}
