import type { NewApiKey } from './api-key';

/** A row of a file, as far as it could be read. */
export interface GivenRow {
  /** Its number, from 1. */
  readonly row: number;
  /** What it says, unchecked; or why it says nothing. */
  readonly given: { readonly value: unknown } | { readonly problem: string };
}

/** What is told of an imported key. */
type ImportedKey = Pick<NewApiKey, 'id' | 'name' | 'redacted'>;

/** What became of a row. `importable`: a dry run met nothing that speaks against it. */
export type ImportResult = { readonly row: number } & (
  | { readonly result: 'imported'; readonly apiKey: ImportedKey }
  | { readonly result: 'importable'; readonly apiKey: Omit<ImportedKey, 'id'> }
  | { readonly result: 'already there'; readonly apiKey: Pick<ImportedKey, 'id'> }
  | { readonly result: 'refused'; readonly reason: string }
);
