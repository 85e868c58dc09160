import type { Command } from 'commander';
import { newUuid } from '../kernel/ids';
import { print, withRooms } from './with-rooms';

interface CreateOptions {
  readonly name: string;
  readonly slug?: string;
  readonly plan?: string;
  readonly json?: true;
}

interface LinkOptions {
  readonly organization: string;
  readonly externalId: string;
}

/** Adds `organizations create` and `organizations link`. */
export function addOrganizationCommands(program: Command): void {
  const organizations = program
    .command('organizations')
    .description('Create organizations, to which keys belong, and link them to those of people.');
  organizations
    .command('create')
    .description('Create an organization and print its id.')
    .requiredOption('--name <name>', 'what people call it, 1 to 100 characters')
    .option('--slug <slug>', 'how commands name it (default: made of the name)')
    .option('--plan <plan>', 'the plan it is on (default: free)')
    .option('--json', 'print the organization as JSON')
    .addHelpText('after', '\nExample:\n  $ keyward organizations create --name "Acme Inc."')
    .action(createOrganization);
  organizations
    .command('link')
    .description(
      'Let the people of an organization of the identity provider into one of Keyward’s.',
    )
    .requiredOption('--organization <organization>', 'which one: an id, a slug or a name')
    .requiredOption('--external-id <id>', 'what the organization claim of their tokens holds')
    .addHelpText(
      'after',
      '\nExample:\n  $ keyward organizations link --organization default --external-id org_acme',
    )
    .action(linkOrganization);
}

async function linkOrganization(options: LinkOptions): Promise<void> {
  await withRooms(async ({ rooms }) => {
    const organization = await rooms.organizations.get(options.organization);
    await rooms.organizations.link(organization, options.externalId, newUuid());
    print(organization.id);
  });
}

async function createOrganization(options: CreateOptions): Promise<void> {
  await withRooms(async ({ rooms }) => {
    const organization = await rooms.organizations.create(options, newUuid());
    print(options.json ? JSON.stringify(organization) : organization.id);
  });
}
