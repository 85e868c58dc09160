import type { Command } from 'commander';
import { print, withRooms } from './with-rooms';

/** Adds `audit verify`. */
export function addAuditCommands(program: Command): void {
  program
    .command('audit')
    .description('Prove that the audit trail is as it was written.')
    .command('verify')
    .description(
      'Check every organization’s hash chain; exits with 1 and names the first broken link.',
    )
    .addHelpText(
      'after',
      `
The head is the hash of the last event. Keep it somewhere else: if a later run shows the same number
of events under another head, somebody has rewritten the whole chain.`,
    )
    .action(verifyAudit);
}

async function verifyAudit(): Promise<void> {
  await withRooms(async ({ rooms }) => {
    for await (const { organizationId, events, head, brokenAt } of rooms.audit.prove()) {
      if (brokenAt === undefined) {
        print(`${organizationId}: ${String(events)} events, head ${head}`);
      } else {
        process.exitCode = 1;
        print(`${organizationId}: broken at event ${String(brokenAt)} of ${String(events)}`);
      }
    }
  });
}
