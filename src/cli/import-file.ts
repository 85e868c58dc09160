import { open } from 'node:fs/promises';
import { InputError } from '../kernel/errors';
import type { GivenRow } from '../keys/import-result';

/**
 * Reads a file of rows: JSON Lines, one object in each line, line by line; or one JSON array, at
 * once. What is no JSON is told of without quoting it, for it may hold digests.
 * @throws InputError naming the file when it cannot be read, or begins as an array and is none
 */
export async function* readImportFile(path: string): AsyncGenerator<GivenRow> {
  try {
    yield* readRows(path);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new InputError('file', `${path} cannot be read (${error.message}).`);
  }
}

async function* readRows(path: string): AsyncGenerator<GivenRow> {
  const file = await open(path);
  const array: string[] = []; // read here, for a pipe is read only once
  try {
    let row = 0;
    let begun = false;
    for await (const line of file.readLines()) {
      row += 1;
      const text = line.trim(); // a byte order mark is white space, too
      if (text === '') continue;
      if (array.length > 0 || (!begun && text.startsWith('['))) {
        array.push(text);
        continue;
      }
      begun = true;
      const given = parse(text);
      yield { row, given: 'problem' in given ? { problem: `the row ${given.problem}` } : given };
    }
  } finally {
    await file.close();
  }
  if (array.length > 0) yield* readArray(path, array.join('\n'));
}

function* readArray(path: string, text: string): Generator<GivenRow> {
  const whole = parse(text);
  if ('problem' in whole) throw new InputError('file', `${path} ${whole.problem}`);
  if (!Array.isArray(whole.value)) throw new InputError('file', `${path} is no array.`);
  let row = 0;
  const values: readonly unknown[] = whole.value;
  for (const value of values) {
    row += 1;
    yield { row, given: { value } };
  }
}

function parse(text: string): GivenRow['given'] {
  if (text.includes('\ufffd')) return { problem: 'is not UTF-8.' };
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch {
    return { problem: 'is not JSON.' };
  }
}
