const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const bracket = 0x5b;
const brace = 0x7b;

/**
 * How many items and members a JSON text holds, those of empty arrays and objects counted as one.
 * Counting stops at `max + 1`. Reads bytes, for parsing is what it is to spare: an object of 90,000
 * members takes 100 ms and more.
 */
export function countJsonValues(json: Buffer, max: number): number {
  let count = 0;
  let inString = false;
  for (let index = 0; index < json.length && count <= max; index += 1) {
    const byte = json[index] ?? 0;
    if (inString && byte === backslash) index += 1;
    else if (byte === quote) inString = !inString;
    else if (!inString && startsValue(byte)) count += 1;
  }
  return count;
}

function startsValue(byte: number): boolean {
  return byte === comma || byte === bracket || byte === brace;
}
