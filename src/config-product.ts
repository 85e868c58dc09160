import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ayraScopes, scope } from './config-scopes';
import { parseDuration } from './kernel/duration';
import { InputError } from './kernel/errors';
import { ownScopes, ScopeCatalogue } from './kernel/scopes';

/** A setting that cannot be used; the message is one sentence that names it and says what to do. */
export class SettingError extends Error {
  constructor(
    readonly setting: string,
    message: string,
  ) {
    super(`${setting}: ${message}`);
    this.name = 'SettingError';
  }
}

const duration = z
  .string()
  .refine(isDuration, 'must be an ISO 8601 duration such as P90D')
  .meta({ examples: ['P90D', 'PT12H'] });

const keys = z.strictObject({
  prefix: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9]{0,15}$/, 'must be 1 to 16 letters and digits, a letter first')
    .default('sk')
    .describe('What every key begins with.'),
  showEnvironment: z
    .boolean()
    .default(true)
    .describe('Whether live or test stands in the key after the prefix.'),
  environments: z
    .array(z.enum(['LIVE', 'TEST']))
    .min(1)
    .default(['LIVE', 'TEST'])
    .describe('The environments a key may be created for.'),
  permissions: z
    .enum(['scopes', 'full_access'])
    .default('scopes')
    .describe('full_access: a key gets the full-access scope unless others are chosen for it.'),
  defaultExpiresIn: duration
    .optional()
    .describe('The lifetime of a key that was created without one; left out: it never expires.'),
  maxLifetime: duration.optional().describe('The longest lifetime a key may be given.'),
  expirationRequired: z
    .boolean()
    .default(false)
    .describe('Whether a key without an end is refused.'),
  rotationGrace: duration
    .default('P7D')
    .describe('How long a rotated key goes on working beside its successor, unless told.'),
  maxActiveKeys: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('How many active keys an organization may have.'),
  acceptImported: z
    .boolean()
    .default(false)
    .describe('Whether imported keys, of any shape, are accepted: to be set before importing.'),
});

const policy = z.strictObject({
  managedBy: z
    .enum(['ADMIN', 'MEMBER'])
    .default('MEMBER')
    .describe('Who may manage keys: admins only, or every member of the organization.'),
  requiredPlan: z
    .string()
    .min(1)
    .max(100)
    .nullable()
    .default(null)
    .describe('The plan an organization must be on for new keys, exactly spelled; null: any.'),
});

const productSchema = z.strictObject({
  $schema: z.string().optional().describe('Where this file’s JSON Schema is, for editors.'),
  name: z.string().min(1).max(100).default('Keyward').describe('The product’s name.'),
  keys: keys.prefault({}).describe('What keys look like, what they may do and how long they last.'),
  policy: policy.prefault({}).describe('What organizations may make stricter, never looser.'),
  scopes: z
    .array(scope)
    .max(200)
    .default(ayraScopes)
    .describe('The catalogue. Keyward’s own scopes are always part of it.'),
  fullAccessScope: z
    .string()
    .nullable()
    .default('admin:full')
    .describe('The scope in the catalogue that covers all others; null: none does.'),
  services: z
    .array(
      z
        .string()
        .regex(/^[\p{Ll}\p{Lm}\p{Lo}\p{N}-]{1,63}$/u, 'must be the slug of an organization'),
    )
    .max(20)
    .default([])
    .describe(
      'The organizations, by slug, whose keys with api_keys:verify verify the keys of every organization: those of your own gateways and services.',
    ),
});

/** The product's configuration, checked, with every default filled in. */
export interface Product {
  readonly name: string;
  readonly keys: Readonly<z.output<typeof keys>>;
  readonly policy: Readonly<z.output<typeof policy>>;
  readonly catalogue: ScopeCatalogue;
  /** The slugs of the organizations whose keys verify the keys of every organization. */
  readonly services: readonly string[];
}

function isDuration(text: string): boolean {
  try {
    parseDuration(text, 'duration');
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** The JSON Schema (draft 2020-12) of the product's configuration, as published in the repository. */
export function productJsonSchema(): object {
  return {
    title: 'Keyward product configuration',
    ...z.toJSONSchema(productSchema, { io: 'input' }),
  };
}

/**
 * Reads the product's configuration.
 * @param path of a JSON file; undefined: the built-in product (`sk_live_`, `sk_test_`, nine scopes)
 * @throws SettingError naming KEYWARD_CONFIG and the member at fault
 */
export function readProduct(path: string | undefined): Product {
  const parsed = productSchema.safeParse(path === undefined ? {} : readJson(path));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const member = issue?.path.join('.') ?? '';
    throw new SettingError(
      'KEYWARD_CONFIG',
      `${path ?? ''}: ${member === '' ? 'the file' : member}: ${issue?.message ?? 'is not valid'}. See keyward.schema.json.`,
    );
  }
  return checkProduct(parsed.data);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    // JSON.parse quotes the file, line ends and all.
    const detail = String(error instanceof Error ? error.message : error).replaceAll(/\s+/g, ' ');
    throw new SettingError('KEYWARD_CONFIG', `${path} ${why} (${detail}).`);
  }
}

function checkProduct(product: z.output<typeof productSchema>): Product {
  const names = product.scopes.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new SettingError('KEYWARD_CONFIG', `scopes: ${repeated} stands in the catalogue twice.`);
  }
  const fullAccess = product.fullAccessScope ?? undefined;
  if (fullAccess !== undefined && !names.includes(fullAccess)) {
    throw new SettingError(
      'KEYWARD_CONFIG',
      `fullAccessScope: ${fullAccess} is not in the catalogue; add it to scopes, or say null.`,
    );
  }
  if (fullAccess !== undefined && ownScopes.some(({ name }) => name === fullAccess)) {
    throw new SettingError(
      'KEYWARD_CONFIG',
      `fullAccessScope: ${fullAccess} is one of Keyward's own scopes; choose a name of your own.`,
    );
  }
  if (product.keys.permissions === 'full_access' && fullAccess === undefined) {
    throw new SettingError(
      'KEYWARD_CONFIG',
      'keys.permissions: full_access needs a fullAccessScope that the keys get.',
    );
  }
  return {
    name: product.name,
    keys: product.keys,
    policy: product.policy,
    services: product.services,
    catalogue: new ScopeCatalogue(product.scopes, fullAccess),
  };
}
