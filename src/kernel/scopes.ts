import { FieldRefusedError } from './errors';

/** How a product groups its permissions. */
export type ScopeGroup = 'READ' | 'WRITE' | 'ADMIN';

/** One permission of the product's catalogue. */
export interface Scope {
  /** Exactly as keys and directives spell it, such as `contacts:read`. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly group: ScopeGroup;
}

/** Federation's `@requiresScopes`: any of the lists, all of its members. */
export type RequiredScopes = readonly (readonly string[])[];

/** Keyward's own permissions; a product may title them anew but not take them away. */
export const ownScopes: readonly Scope[] = [
  {
    name: 'api_keys:read',
    title: 'API keys (read)',
    description: 'List and view the API keys of the organization.',
    group: 'READ',
  },
  {
    name: 'api_keys:write',
    title: 'API keys (write)',
    description: 'Create, change and revoke API keys.',
    group: 'WRITE',
  },
  {
    name: 'api_keys:verify',
    title: 'API keys (verify)',
    description: 'Ask whose key a presented secret is and what it may do.',
    group: 'READ',
  },
  {
    name: 'audit_logs:read',
    title: 'Audit logs (read)',
    description: 'Read who changed what.',
    group: 'READ',
  },
  {
    name: 'analytics:read',
    title: 'Analytics (read)',
    description: 'Read how keys are used.',
    group: 'READ',
  },
  {
    name: 'organization:write',
    title: 'Organization (write)',
    description: "Change the organization's settings and policies.",
    group: 'ADMIN',
  },
];

/** The scopes a product knows: its own, and Keyward's. */
export class ScopeCatalogue {
  readonly #byName: ReadonlyMap<string, Scope>;

  /**
   * Merges the two: where both name a scope, the product's titles count.
   * @param productScopes the product's catalogue, in the order it is shown
   * @param fullAccess the name in it that covers all others, if the product has one
   */
  constructor(
    productScopes: readonly Scope[],
    readonly fullAccess: string | undefined,
  ) {
    const byName = new Map(productScopes.map((scope) => [scope.name, scope]));
    for (const scope of ownScopes) if (!byName.has(scope.name)) byName.set(scope.name, scope);
    this.#byName = byName;
  }

  /** Every scope, the product's first. */
  get all(): readonly Scope[] {
    return [...this.#byName.values()];
  }

  /** Every scope's name, the product's first. */
  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** Whether the catalogue holds a scope of exactly this name. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** What granted scopes amount to: full access is expanded to the whole catalogue. */
  effective(granted: readonly string[]): ReadonlySet<string> {
    const covered = this.fullAccess !== undefined && granted.includes(this.fullAccess);
    return new Set(covered ? [...granted, ...this.names] : granted);
  }

  /**
   * Which scopes of a key a caller does not have. Full access covers those, too, that the catalogue
   * holds no longer.
   */
  lacking(effective: ReadonlySet<string>, wanted: readonly string[]): readonly string[] {
    if (this.fullAccess !== undefined && effective.has(this.fullAccess)) return [];
    return wanted.filter((scope) => !effective.has(scope));
  }

  /** Whether granted scopes amount to all there are. */
  isEverything(granted: readonly string[]): boolean {
    const effective = this.effective(granted);
    return this.names.every((name) => effective.has(name));
  }
}

/** What each of the required lists lacks; an empty answer means the requirement is met. */
export function missingScopes(
  effective: ReadonlySet<string>,
  required: RequiredScopes,
): readonly (readonly string[])[] {
  const missing = required.map((all) => all.filter((scope) => !effective.has(scope)));
  return missing.some((list) => list.length === 0) ? [] : missing;
}

/**
 * The refusal of a field to a caller who lacks what the first requirement that is not met wants.
 * @param holder who lacks it, as the message says: `the key does`
 */
export function insufficientScope(
  effective: ReadonlySet<string>,
  requirements: readonly RequiredScopes[],
  holder: 'the key does' | 'you do',
): FieldRefusedError | undefined {
  for (const requiredScopes of requirements) {
    const missing = missingScopes(effective, requiredScopes);
    if (missing.length === 0) continue;
    const wanted = missing.map((all) => all.join(' and ')).join(', or ');
    return new FieldRefusedError(
      'INSUFFICIENT_SCOPE',
      `This needs a scope that ${holder} not have: ${wanted}.`,
      { requiredScopes, missingScopes: missing },
    );
  }
  return undefined;
}
