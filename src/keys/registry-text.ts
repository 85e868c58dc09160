import { stringify } from 'csv-stringify/sync';
import type { RegistryEntry } from './registry';

type Batches = AsyncIterable<readonly RegistryEntry[]>;

/** A form of the registry as a file. */
export interface RegistryFormat {
  readonly contentType: string;
  /** The file's text, piece by piece: one for each batch, so that memory holds no more. */
  readonly write: (batches: Batches) => AsyncGenerator<string>;
}

/** The forms there are. */
export const registryFormats = {
  csv: { contentType: 'text/csv; charset=utf-8; header=present', write: writeCsv },
  json: { contentType: 'application/json; charset=utf-8', write: writeJson },
} as const satisfies Record<string, RegistryFormat>;

/** The name of a form. */
export type RegistryFormatName = keyof typeof registryFormats;

// The order of the columns, which is also that of the page's list.
const columns: readonly (keyof RegistryEntry)[] = [
  'name',
  'redacted',
  'createdAt',
  'expiresAt',
  'purpose',
  'usageLocation',
  'owner',
  'scopes',
  'lastRotatedAt',
  'environment',
  'status',
  'id',
];

// RFC 4180. A cell that a spreadsheet would take for a formula gets a leading apostrophe.
const csv = {
  record_delimiter: 'windows',
  quote_record_delimiter: true,
  escape_formulas: true,
} as const;

async function* writeCsv(batches: Batches): AsyncGenerator<string> {
  yield stringify([[...columns]], csv);
  for await (const batch of batches) yield stringify(batch.map(toCells), csv);
}

function toCells(entry: RegistryEntry): (string | null)[] {
  return columns.map((column) => {
    const value = entry[column];
    // Scopes hold no spaces (RFC 6749), so that a list of them may.
    return typeof value === 'object' && value !== null ? value.join(' ') : value;
  });
}

async function* writeJson(batches: Batches): AsyncGenerator<string> {
  let before = '[\n';
  for await (const batch of batches) {
    let text = '';
    for (const entry of batch) {
      text += before + JSON.stringify(entry);
      before = ',\n';
    }
    yield text;
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}
