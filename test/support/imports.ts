import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportResult } from '../../src/keys/import-result';
import type { TestKeyward } from './keyward';
import { withRooms } from './organizations';
import { dataDirectory } from './process';

/** A key of the kind that some other system once issued. */
export interface OldKey {
  readonly secret: string;
  /** The SHA-256 of it, as the old system kept it. */
  readonly digest: string;
}

/** Makes a key that looks nothing like ours. */
export function oldKey(encoding: 'hex' | 'base64url' = 'hex'): OldKey {
  const secret = `legacy-${randomBytes(16).toString('hex')}`;
  return { secret, digest: createHash('sha256').update(secret).digest(encoding) };
}

/** The settings of a product with these rules for its keys, imported ones accepted. */
export function acceptingImports(keys: object = {}): Record<string, string> {
  const path = join(dataDirectory(), 'product.json');
  writeFileSync(path, JSON.stringify({ keys: { acceptImported: true, ...keys } }));
  return { KEYWARD_CONFIG: path };
}

/** Imports rows as the command line does, in this process. */
export async function importRows(
  keyward: Pick<TestKeyward, 'database'>,
  rows: readonly unknown[],
  settings: Readonly<Record<string, string>>,
  { organization = 'default', dryRun = false } = {},
): Promise<ImportResult[]> {
  async function* given() {
    for (const [index, value] of rows.entries()) yield { row: index + 1, given: { value } };
  }
  return withRooms(
    keyward,
    async ({ imports, organizations }) => {
      const { id } = await organizations.get(organization);
      const caller = organizations.systemCaller(id, 'import-request');
      const results: ImportResult[] = [];
      for await (const each of imports.import(caller, given(), { dryRun })) results.push(each);
      return results;
    },
    settings,
  );
}
