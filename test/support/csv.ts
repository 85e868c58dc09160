/**
 * Reads CSV as RFC 4180 has it and no other way: CRLF after every record, quotes doubled inside
 * quotes, nothing after a closing quote. Throws on anything else. Written from the RFC alone, to
 * judge what a library wrote.
 */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  const fail = (): never => {
    throw new Error(`not CSV at character ${at}: ${JSON.stringify(text.slice(at, at + 20))}`);
  };
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; ; at += 1) {
        if (at >= text.length) fail();
        if (text[at] === '"' && text[at + 1] === '"') at += 1;
        else if (text[at] === '"') break;
        cell += text.charAt(at);
      }
      at += 1;
    } else {
      for (; at < text.length && !',\r\n'.includes(text[at] ?? ''); at += 1) {
        if (text[at] === '"') fail();
        cell += text.charAt(at);
      }
    }
    record.push(cell);
    if (text[at] === ',') {
      at += 1;
      continue;
    }
    if (text.slice(at, at + 2) !== '\r\n') fail();
    at += 2;
    records.push(record);
    record = [];
  }
  if (record.length > 0) fail();
  return records;
}

/** The records as objects by the header's names; throws when one is longer or shorter than it. */
export function parseCsvTable(text: string): Record<string, string>[] {
  const [header = [], ...records] = parseCsv(text);
  return records.map((record) => {
    if (record.length !== header.length) throw new Error(`a ragged record: ${record.join('|')}`);
    return Object.fromEntries(header.map((name, index) => [name, record[index] ?? '']));
  });
}
