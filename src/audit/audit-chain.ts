import { createHash } from 'node:crypto';
import type { AuditEvent } from './audit-event';

/** An event in the chain, with its changes as the text that is stored. */
export interface ChainedEvent extends Omit<AuditEvent, 'changes'> {
  readonly changes: string;
}

/** What the first event of a chain follows. */
export const chainStart = Buffer.alloc(32);

/**
 * The hash of an event: SHA-256 over the hash before it and everything the event says. Who changes,
 * removes or adds an event breaks every hash after it.
 */
export function chainHash(previous: Buffer, event: ChainedEvent): Buffer {
  const said = JSON.stringify([
    previous.toString('hex'),
    event.id,
    event.organizationId,
    event.sequence,
    event.at.toISOString(),
    event.actor.kind,
    event.actor.id,
    event.actor.name,
    event.action,
    event.targetType,
    event.targetId,
    event.targetName,
    event.changes,
    event.requestId,
    event.ip,
  ]);
  return createHash('sha256').update(said).digest();
}
