import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Option, type Command } from 'commander';
import { newUuid } from '../kernel/ids';
import { registryFormats, type RegistryFormatName } from '../keys/registry-text';
import { heedWriteError } from './failure';
import { withRooms } from './with-rooms';

interface ExportOptions {
  readonly organization: string;
  readonly format: RegistryFormatName;
  readonly output?: string;
}

/** Adds `keys export`. */
export function addKeyExport(keys: Command): void {
  const format = new Option('--format <format>', 'the form of the list')
    .choices(Object.keys(registryFormats))
    .default('csv');
  keys
    .command('export')
    .description('Write the registry of all keys: what they are for, whose they are, since when.')
    .option('--organization <organization>', 'whose keys: an id, a slug or a name', 'default')
    .addOption(format)
    .addOption(new Option('--json', 'the same as --format json').implies({ format: 'json' }))
    .option('--output <file>', 'where to write it (default: standard output)')
    .addHelpText('after', '\nExample:\n  $ keyward keys export --output registry.csv')
    .action(exportKeys);
}

async function exportKeys({ organization, format, output }: ExportOptions): Promise<void> {
  await withRooms(async ({ rooms }) => {
    const { id } = await rooms.organizations.get(organization);
    const { principal } = rooms.organizations.systemCaller(id, newUuid());
    const batches = rooms.registry.batches(principal);
    const text = registryFormats[format].write(batches);
    const target = output === undefined ? process.stdout : createWriteStream(output);
    try {
      await pipeline(Readable.from(text), target, { end: output !== undefined });
    } catch (error) {
      heedWriteError(error, output);
    } finally {
      await batches.return(undefined); // a batch may still be on its way from the database
    }
  });
}
