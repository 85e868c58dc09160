import type { OrganizationId } from '../kernel/ids';

/** A customer of the product: keys, people and records belong to exactly one. */
export interface Organization {
  readonly id: OrganizationId;
  /** How commands and claims name it: unique, lower case. */
  readonly slug: string;
  readonly name: string;
  readonly plan: string;
}

/** The slug of a name: "Acme Inc." becomes `acme-inc`; empty when nothing of it can stand in one. */
export function slugOf(name: string): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-/, '');
  // Cut between characters, not inside of one that takes two UTF-16 units.
  return Array.from(words).slice(0, 63).join('').replace(/-$/, '');
}
