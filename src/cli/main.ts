import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { addAuditCommands } from './audit';
import { failWith, heedWriteError } from './failure';
import { addKeyCommands } from './keys';
import { migrateDatabase } from './migrate';
import { addOrganizationCommands } from './organizations';
import { addSchemaCommand } from './schema';
import { serve } from './serve';

const program = new Command('keyward')
  .description('API keys for GraphQL supergraphs.')
  .version(packageVersion())
  .addHelpText(
    'after',
    `
Commands work straight on the database: that of DATABASE_URL, or the embedded one in
KEYWARD_DATA_DIR (.keyward below this folder), also while the server runs. The README lists every
setting.

Examples:
  $ keyward serve
  $ keyward organizations create --name "Acme Inc."
  $ keyward keys create --organization acme-inc --name "CI/CD Pipeline" \\
      --scope contacts:read --scope contacts:write --expires-in P90D`,
  )
  .showHelpAfterError('(keyward --help tells more)');

program.command('serve').description('Start the server.').action(serve);
program
  .command('migrate')
  .description('Bring the database up to date; serve does so by itself.')
  .action(migrateDatabase);
addOrganizationCommands(program);
addKeyCommands(program);
addAuditCommands(program);
addSchemaCommand(program);

process.stdout.on('error', (error) => {
  try {
    heedWriteError(error);
  } catch (failure) {
    failWith(failure);
  }
});
program.parseAsync().catch(failWith);

function packageVersion(): string {
  const manifest = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version;
}
