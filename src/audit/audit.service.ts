import type { Database, Transaction } from '../database/database';
import { newUuid, type OrganizationId } from '../kernel/ids';
import { parsePage, type Page, type PageArguments } from '../kernel/pages';
import type { Caller } from '../kernel/principal';
import { chainHash, chainStart } from './audit-chain';
import type { AuditChainRepository, ChainEnd } from './audit-chain.repository';
import {
  checkAuditFilter,
  type AuditEntry,
  type AuditEvent,
  type AuditEventFilter,
} from './audit-event';
import { auditListName, type AuditRepository } from './audit.repository';

/** A page of events, and how many the whole list has, counted only when asked. */
export interface AuditPage extends Page<AuditEvent> {
  readonly totalCount: () => Promise<number>;
}

/** Which part of which list. */
export interface AuditListArguments extends PageArguments {
  readonly filter?: AuditEventFilter | null | undefined;
}

/** What a proof of an organization's chain found. */
export interface ChainProof {
  readonly organizationId: OrganizationId;
  readonly events: number;
  /** The hash of the last event, to be kept elsewhere as evidence. */
  readonly head: string;
  /** The place of the first event that is not as it was written, if one is not. */
  readonly brokenAt: number | undefined;
  /** Which of the heads that were asked for are hashes of its events. */
  readonly met: readonly string[];
}

const eventsPerRead = 1000;

/** Keeps the record of who changed what. */
export class AuditService {
  constructor(
    private readonly database: Database,
    private readonly repository: AuditRepository,
    private readonly chains: AuditChainRepository,
  ) {}

  /**
   * Records changes in the transaction that makes them: if an event cannot be written, nothing
   * changes. To be called last in it, for until it ends nobody else in the organization can record.
   * @param at the instant of the changes, by the database's clock
   */
  async record(
    tx: Transaction,
    caller: Caller,
    at: Date,
    ...entries: readonly AuditEntry[]
  ): Promise<void> {
    const { organizationId, actor } = caller.principal;
    const { requestId, ip } = caller;
    if (entries.length === 0) return;
    const events = entries.map((entry) => ({
      ...entry,
      ...{ id: newUuid(), organizationId, actor, requestId, ip, at },
      changes: JSON.stringify(entry.changes),
    }));
    await this.chains.add(tx, organizationId, events);
  }

  /**
   * One page of the organization's events, newest first.
   * @throws InputError naming the argument at fault
   */
  async list(organizationId: OrganizationId, given: AuditListArguments): Promise<AuditPage> {
    const filter = checkAuditFilter(given.filter ?? {});
    const request = parsePage(given, auditListName(organizationId));
    const page = await this.database.read((tx) =>
      this.repository.page(tx, organizationId, filter, request),
    );
    const totalCount = async (): Promise<number> =>
      this.database.read((tx) => this.repository.count(tx, organizationId, filter));
    return { ...page, totalCount };
  }

  /**
   * Proves every organization's chain, or names the first broken link of each.
   * @param heads of earlier proofs: whoever rewrites a whole chain, or cuts its end off and says
   * that it ended there, leaves nothing broken, but cannot bring these back
   */
  async *prove(heads: ReadonlySet<string> = new Set()): AsyncGenerator<ChainProof> {
    const ends = await this.database.read((tx) => this.chains.ends(tx));
    for (const end of ends) yield this.#proveChain(end, heads);
  }

  async #proveChain(end: ChainEnd, heads: ReadonlySet<string>): Promise<ChainProof> {
    const { organizationId, sequence: last, hash: head, strayAt } = end;
    let previous: Buffer = chainStart;
    let sequence = 0;
    const met: string[] = [];
    const found = (brokenAt?: number): ChainProof => ({
      ...{ organizationId, events: last, head: head.toString('hex'), brokenAt, met },
    });
    // An organization's creation is its first event: a chain without one has lost it.
    if (last < 1) return found(strayAt ?? 1);
    while (sequence < last) {
      const after = sequence;
      const events = await this.database.read((tx) =>
        this.chains.read(tx, organizationId, after, Math.min(eventsPerRead, last - after)),
      );
      if (events.length === 0) return found(sequence + 1);
      for (const { event, hash } of events) {
        sequence += 1;
        const expected = chainHash(previous, event);
        if (event.sequence !== sequence || !expected.equals(hash)) return found(sequence);
        if (heads.has(hash.toString('hex'))) met.push(hash.toString('hex'));
        previous = hash;
      }
    }
    return found(previous.equals(head) ? strayAt : last);
  }
}
