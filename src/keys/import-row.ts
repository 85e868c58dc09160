import { z } from 'zod';
import type { Product } from '../config-product';
import { InputError } from '../kernel/errors';
import { newApiKeyId } from '../kernel/ids';
import type { Environment, KnownPrincipal } from '../kernel/principal';
import type { ScopeCatalogue } from '../kernel/scopes';
import type { ApiKeyLabels, NewApiKey } from './api-key';
import { checkExpiry, checkLabels, checkScopes, noLabels, type Expiry } from './api-key-input';
import { requireGrantable } from './grant';
import { parseSha256, sha256Of } from './imported-secret';
import { fixExpiry, type LifetimePolicy } from './lifetime';

/** A key to import, checked as far as it can be without asking the database. */
export interface ImportRow {
  /** The SHA-256 of its secret; 32 bytes. */
  readonly sha256: Buffer;
  readonly labels: ApiKeyLabels;
  readonly environment: Environment;
  readonly scopes: readonly string[];
  readonly expiry: Expiry;
  /** Left out: the moment of the import. */
  readonly createdAt: Date | undefined;
  readonly prefix: string;
  readonly redacted: string;
}

const instant = z.iso
  .datetime({ offset: true, error: 'must be an instant such as 2026-01-31T23:59:59Z' })
  .transform((text) => new Date(text));

const text = z.string('must be a text');

const noSha256 = Buffer.alloc(0);

// The messages name members and rules, never what stands in the file: it may be a secret.
const members = {
  digest: text
    .transform((given) => parseSha256(given) ?? noSha256)
    .refine((bytes) => bytes !== noSha256, 'must be a SHA-256 in hexadecimal or base64url'),
  name: text,
  description: text.nullish(),
  environment: z.enum(['LIVE', 'TEST'], 'must be LIVE or TEST').default('LIVE'),
  scopes: z.array(text, 'must be a list').nullish(),
  expiresAt: instant.nullish(),
  createdAt: instant.nullish(),
  owner: text.nullish(),
  application: text.nullish(),
  usageLocation: text.nullish(),
  tags: z.array(text, 'must be a list').nullish(),
  metadata: z.record(z.string(), z.unknown(), 'must be an object').nullish(),
  prefix: text
    .regex(/^[\x21-\x7e]{0,24}$/, 'must be at most 24 printable ASCII characters')
    .default(''),
  lastFour: text.regex(/^[\x21-\x7e]{4}$/, 'must be 4 printable ASCII characters').nullish(),
};

const unknownMember = `must be an object with no other members than ${Object.keys(members).join(', ')}`;
const rowSchema = z.strictObject(members, unknownMember);

/**
 * Checks a row of an import by the rules for new keys.
 * @throws InputError naming the member at fault; its message quotes nothing of the row
 */
export function checkImportRow(
  given: unknown,
  { keys, catalogue }: Pick<Product, 'keys' | 'catalogue'>,
): ImportRow {
  const row = parse(given);
  const { digest: sha256, environment, prefix, lastFour } = row;
  if (!keys.environments.includes(environment)) {
    const known = keys.environments.join(' or ');
    throw new InputError('environment', `environment must be ${known} for this product.`);
  }
  for (const shown of [prefix, prefix + (lastFour ?? '')]) {
    if (!sha256Of(shown).equals(sha256)) continue;
    throw new InputError('prefix', 'prefix and lastFour must not show the whole key.');
  }
  const implied = keys.permissions === 'full_access' ? catalogue.fullAccess : undefined;
  return {
    sha256,
    labels: checkLabels(row, noLabels),
    environment,
    scopes: checkScopes(row.scopes ?? (implied === undefined ? undefined : [implied]), catalogue),
    expiry: checkExpiry({ expiresAt: row.expiresAt }),
    createdAt: row.createdAt ?? undefined,
    prefix,
    redacted: `${prefix}...${lastFour ?? ''}`,
  };
}

/**
 * The key that a row asks for, under the rules for keys created at `now`.
 * @throws InputError on an expiry that has passed, or a creation in the future
 * @throws PolicyError with rule GRANT_SCOPES, GRANT_ENVIRONMENT, GRANT_EXPIRY,
 * EXPIRATION_REQUIRED or MAX_LIFETIME
 */
export function toImportedKey(
  { labels, environment, scopes, expiry, createdAt, prefix, redacted }: ImportRow,
  principal: KnownPrincipal,
  { now, policy }: { readonly now: Date; readonly policy: LifetimePolicy },
  catalogue: ScopeCatalogue,
): NewApiKey {
  if (createdAt !== undefined && createdAt > now) {
    throw new InputError('createdAt', 'createdAt must not be in the future.');
  }
  const expiresAt = fixExpiry(expiry, now, policy);
  requireGrantable(principal, { scopes, environment, expiresAt }, catalogue);
  const { organizationId, actor } = principal;
  return {
    ...labels,
    ...{ id: newApiKeyId(), organizationId, environment, prefix, redacted, scopes, expiresAt },
    ...{ createdAt: createdAt ?? now, createdBy: actor, predecessorId: null },
  };
}

function parse(given: unknown): z.output<typeof rowSchema> {
  const parsed = rowSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const member = issue?.path.join('.') ?? '';
  throw new InputError(member, `${member} ${issue?.message ?? 'is not valid'}.`.trimStart());
}
