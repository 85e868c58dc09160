import { createHash } from 'node:crypto';

/** The SHA-256 of a JSON value; the same for the same members in another order. */
export function fingerprintOf(value: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(value, sortMembers)).digest();
}

function sortMembers(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
