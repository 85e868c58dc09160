import type { Command } from 'commander';
import { print, withRooms } from './with-rooms';

interface VerifyOptions {
  readonly head?: readonly string[];
}

/** Adds `audit verify`. */
export function addAuditCommands(program: Command): void {
  program
    .command('audit')
    .description('Prove that the audit trail is as it was written.')
    .command('verify')
    .description(
      'Check every organization’s hash chain; exits with 1 and names the first broken link.',
    )
    .option('--head <hashes...>', 'heads that earlier runs printed, which must still be there')
    .addHelpText(
      'after',
      `
The head is the hash of the last event. Keep it somewhere else, and give it to a later run: whoever owns
the database can rewrite a whole chain or cut off its end, but cannot make a chain with that head in it.

Example:
  $ keyward audit verify --head 2c2476b3cc86dec3d79af284b6ebe9e32802454faccb2ab569e5f3bf89f9a8ac`,
    )
    .action(verifyAudit);
}

async function verifyAudit({ head: kept = [] }: VerifyOptions): Promise<void> {
  const heads = new Set(kept.map((head) => head.toLowerCase()));
  const missing = new Set(heads);
  await withRooms(async ({ rooms }) => {
    for await (const proof of rooms.audit.prove(heads)) {
      const { organizationId, events, head, brokenAt } = proof;
      for (const met of proof.met) missing.delete(met);
      if (brokenAt === undefined) {
        print(`${organizationId}: ${String(events)} events, head ${head}`);
      } else {
        process.exitCode = 1;
        print(`${organizationId}: broken at event ${String(brokenAt)} of ${String(events)}`);
      }
    }
  });
  for (const head of missing) {
    process.exitCode = 1;
    print(`head ${head}: in no chain; the events up to it were rewritten or removed`);
  }
}
