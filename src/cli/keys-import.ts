import type { Command } from 'commander';
import { newUuid } from '../kernel/ids';
import type { ImportResult } from '../keys/import-result';
import { readImportFile } from './import-file';
import { print, withRooms } from './with-rooms';

interface ImportOptions {
  readonly organization: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Adds `keys import`. */
export function addKeyImport(keys: Command): void {
  keys
    .command('import')
    .description('Take over keys that were issued elsewhere; they go on working as they are.')
    .argument('<file>', 'JSON Lines (one object in each line), or one JSON array')
    .option('--organization <organization>', 'whose keys: an id, a slug or a name', 'default')
    .option('--dry-run', 'change nothing, only tell what would become of each row')
    .option('--json', 'print a JSON object for each row')
    .addHelpText(
      'after',
      `
Each row has the SHA-256 of a key (in hexadecimal or base64url), never the key, and its settings:

  {"digest": "9f86d0…", "name": "CI/CD Pipeline", "scopes": ["contacts:read"],
   "prefix": "old_live_7", "lastFour": "k2Qx", "createdAt": "2024-03-01T09:00:00Z"}

digest and name are required, and scopes unless all keys have full access. Others: description,
environment (LIVE, TEST), expiresAt, owner, application, usageLocation, tags, metadata. Rules are
those for new keys. The product's configuration must accept imported keys (keys.acceptImported).

Rows do not depend on each other; those already there are left as they are. Exits with 1 when a row
was refused.`,
    )
    .action(importKeys);
}

async function importKeys(path: string, options: ImportOptions): Promise<void> {
  await withRooms(async ({ rooms }) => {
    const { id } = await rooms.organizations.get(options.organization);
    const caller = rooms.organizations.systemCaller(id, newUuid());
    const counts = new Map<string, number>();
    const dryRun = options.dryRun === true;
    for await (const result of rooms.imports.import(caller, readImportFile(path), { dryRun })) {
      counts.set(result.result, (counts.get(result.result) ?? 0) + 1);
      print(options.json ? JSON.stringify(result) : describe(result));
    }
    if (counts.has('refused')) process.exitCode = 1;
    const kinds = [dryRun ? 'importable' : 'imported', 'already there', 'refused'];
    const total = kinds.map((kind) => `${counts.get(kind) ?? 0} ${kind}`).join(', ');
    if (options.json !== true) print(`${total}.`);
  });
}

function describe(result: ImportResult): string {
  const start = `row ${result.row}: ${result.result}`;
  switch (result.result) {
    case 'refused':
      return `${start}: ${result.reason}`;
    case 'already there':
      return `${start} as ${result.apiKey.id}`;
    case 'importable':
      return `${start}: ${result.apiKey.name} (${result.apiKey.redacted})`;
    case 'imported':
      return `${start} as ${result.apiKey.id}: ${result.apiKey.name} (${result.apiKey.redacted})`;
  }
}
