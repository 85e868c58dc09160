import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { productJsonSchema } from '../config-product';
import { print } from './with-rooms';

/** Adds `schema`, which needs no database. */
export function addSchemaCommand(program: Command): void {
  program
    .command('schema')
    .description('Print the subgraph’s SDL, for schema registries and composition.')
    .option('--without-access-directives', 'leave out @authenticated and @requiresScopes')
    .option('--config', 'print the JSON Schema of KEYWARD_CONFIG instead')
    .option('--check', 'print nothing; fail unless schema.graphql holds this SDL')
    .action(printSchema);
}

async function printSchema(options: {
  readonly withoutAccessDirectives?: true;
  readonly config?: true;
  readonly check?: true;
}): Promise<void> {
  if (options.config === true) {
    print(JSON.stringify(productJsonSchema(), null, 2));
    return;
  }
  const { buildSdl } = await import('../app/sdl.js');
  const sdl = await buildSdl({ accessDirectives: options.withoutAccessDirectives !== true });
  if (options.check !== true) {
    print(sdl.trimEnd());
    return;
  }
  if (readFileSync('schema.graphql', 'utf8') === sdl) return;
  throw new Error('schema.graphql is not current; run: npx keyward schema > schema.graphql');
}
