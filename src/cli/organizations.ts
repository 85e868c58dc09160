import type { Command } from 'commander';
import { newUuid } from '../kernel/ids';
import { print, withRooms } from './with-rooms';

interface CreateOptions {
  readonly name: string;
  readonly slug?: string;
  readonly plan?: string;
  readonly json?: true;
}

/** Adds `organizations create`. */
export function addOrganizationCommands(program: Command): void {
  program
    .command('organizations')
    .description('Create organizations, to which keys belong.')
    .command('create')
    .description('Create an organization and print its id.')
    .requiredOption('--name <name>', 'what people call it, 1 to 100 characters')
    .option('--slug <slug>', 'how commands name it (default: made of the name)')
    .option('--plan <plan>', 'the plan it is on (default: free)')
    .option('--json', 'print the organization as JSON')
    .addHelpText('after', '\nExample:\n  $ keyward organizations create --name "Acme Inc."')
    .action(createOrganization);
}

async function createOrganization(options: CreateOptions): Promise<void> {
  await withRooms(async ({ rooms }) => {
    const organization = await rooms.organizations.create(options, newUuid());
    print(options.json ? JSON.stringify(organization) : organization.id);
  });
}
