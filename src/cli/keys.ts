import { Option, type Command } from 'commander';
import { newUuid } from '../kernel/ids';
import type { Creation } from '../keys/creation.service';
import { addKeyExport } from './keys-export';
import { addKeyImport } from './keys-import';
import { print, withRooms } from './with-rooms';

const environments = { live: 'LIVE', test: 'TEST' } as const;

interface CreateOptions {
  readonly organization: string;
  readonly name: string;
  readonly scope?: readonly string[];
  readonly environment: keyof typeof environments;
  readonly expiresIn?: string;
  readonly description?: string;
  readonly owner?: string;
  readonly application?: string;
  readonly usageLocation?: string;
  readonly tag?: readonly string[];
  readonly json?: true;
}

/** Adds `keys create`, `keys export` and `keys import`. */
export function addKeyCommands(program: Command): void {
  const environment = new Option('--environment <environment>', 'where the key is to be used')
    .choices(Object.keys(environments))
    .default('live');
  const keys = program
    .command('keys')
    .description('Create API keys, list them for audits, import them.');
  addKeyExport(keys);
  addKeyImport(keys);
  keys
    .command('create')
    .description('Create a key and print its secret, which is shown only this once.')
    .option('--organization <organization>', 'whose key it is: an id, a slug or a name', 'default')
    .requiredOption('--name <name>', 'what to call it, 1 to 100 characters')
    .option('--scope <scope>', 'what it may do; repeat it for more', collect)
    .addOption(environment)
    .option('--expires-in <duration>', 'how long it works, as ISO 8601 has it, such as P90D')
    .option('--description <text>', 'what it is used for')
    .option('--owner <text>', 'the owner or system it is assigned to')
    .option('--application <text>', 'the application that uses it')
    .option('--usage-location <text>', 'where it is deployed')
    .option('--tag <tag>', 'a label to find it by; repeat it for more', collect)
    .option('--json', 'print the key and its secret as JSON')
    .addHelpText(
      'after',
      `
Example:
  $ keyward keys create --name "CI/CD Pipeline" --scope contacts:read --expires-in P90D`,
    )
    .action(createKey);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

async function createKey(options: CreateOptions): Promise<void> {
  const { organization, scope: scopes, tag: tags, json, ...labels } = options;
  const environment = environments[options.environment];
  await withRooms(async ({ rooms }) => {
    const { id } = await rooms.organizations.get(organization);
    const caller = rooms.organizations.systemCaller(id, newUuid());
    const input = { ...labels, environment, scopes, tags };
    const creation = await rooms.creation.create(caller, input);
    print(json ? JSON.stringify(toJson(creation)) : String(creation.secret));
  });
}

function toJson({ apiKey, secret }: Creation): object {
  const { id, name, organizationId, environment, prefix, redacted, scopes, expiresAt } = apiKey;
  return { id, name, organizationId, environment, prefix, redacted, scopes, expiresAt, secret };
}
