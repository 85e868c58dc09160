import type { JWTPayload } from 'jose';
import type { ClaimNames } from '../config-oidc';
import type { Role } from '../kernel/principal';
import type { PersonClaims } from '../organizations/person';

const longestId = 255;
const longestName = 100;
const longestEmail = 320;
const latestMs = 8.64e15;

/**
 * Reads what Keyward wants to know out of a valid token.
 * @returns undefined when it does not say who the person is, or of which organization
 */
export function readPersonClaims(token: JWTPayload, names: ClaimNames): PersonClaims | undefined {
  const subject = identifier(token.sub);
  const externalId = identifier(claimOf(token, names.organization));
  if (subject === undefined || externalId === undefined) return undefined;
  return {
    subject,
    externalId,
    name: label(claimOf(token, 'name'), longestName),
    email: label(claimOf(token, 'email'), longestEmail),
    role: roleOf(claimOf(token, names.role)),
    organizationName: label(claimOf(token, names.organizationName), longestName),
    plan: label(claimOf(token, names.plan), longestName),
    issuedAt: instantOf(token.iat ?? 0),
  };
}

// A claim's name may hold dots itself, as URLs do: so the member of exactly that name comes first.
function claimOf(claims: object, name: string): unknown {
  const own = (holder: unknown, member: string): unknown =>
    typeof holder === 'object' && holder !== null && Object.hasOwn(holder, member)
      ? new Map<string, unknown>(Object.entries(holder)).get(member)
      : undefined;
  return own(claims, name) ?? name.split('.').reduce<unknown>(own, claims);
}

// Kept byte for byte, or refused: two people must never become one.
function identifier(claim: unknown): string | undefined {
  const text = typeof claim === 'number' && Number.isSafeInteger(claim) ? String(claim) : claim;
  if (typeof text !== 'string' || text === '' || text.length > longestId) return undefined;
  return text.isWellFormed() && !/\p{Cc}/u.test(text) ? text : undefined;
}

// What is only shown need not be refused: what cannot be shown is taken out.
function label(claim: unknown, maxCharacters: number): string | null {
  if (typeof claim !== 'string') return null;
  const clean = claim
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim();
  return Array.from(clean).slice(0, maxCharacters).join('').trim() || null;
}

// No later than any instant that JavaScript and PostgreSQL both know, and no earlier than 1970.
function instantOf(seconds: number): Date {
  return new Date(Math.min(Math.max(seconds * 1000, 0), latestMs));
}

function roleOf(claim: unknown): Role {
  const said: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const isAdmin = said.some((each) => typeof each === 'string' && each.toLowerCase() === 'admin');
  return isAdmin ? 'ADMIN' : 'MEMBER';
}
