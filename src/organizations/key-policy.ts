import type { Product } from '../config-product';
import { addDuration, parseDuration } from '../kernel/duration';
import { InputError, PolicyError } from '../kernel/errors';
import type { Role } from '../kernel/principal';
import { ownScopes } from '../kernel/scopes';
import { checkText } from '../kernel/text';

/** What counts for an organization's keys; durations as ISO 8601 has them, null: no limit. */
export interface KeyPolicy {
  /** ADMIN: only admins manage keys; MEMBER: everyone in the organization. */
  readonly managedBy: Role;
  /** The plan an organization must be on for new keys. */
  readonly requiredPlan: string | null;
  readonly maxLifetime: string | null;
  readonly expirationRequired: boolean;
  readonly defaultRotationGrace: string | null;
  readonly maxActiveKeys: number | null;
}

/** A policy with what follows from it for a key that is created without an end. */
export interface EffectivePolicy extends KeyPolicy {
  /** The product's default, cut to `maxLifetime`. */
  readonly defaultExpiresIn: string | undefined;
}

/** What an organization says itself; null: what the product says. */
export type OwnPolicy = { readonly [Member in keyof KeyPolicy]: KeyPolicy[Member] | null };

/** A change of an organization's policy: what is left out stays, null is the product's again. */
export type PolicyPatch = { readonly [Member in keyof OwnPolicy]?: OwnPolicy[Member] | undefined };

type ProductSettings = Pick<Product, 'keys' | 'policy' | 'catalogue'>;

/** The product's policy, which every organization starts with. */
export function productPolicy({ keys, policy }: ProductSettings): KeyPolicy {
  return {
    managedBy: policy.managedBy,
    requiredPlan: policy.requiredPlan,
    maxLifetime: keys.maxLifetime ?? null,
    expirationRequired: keys.expirationRequired,
    defaultRotationGrace: keys.rotationGrace,
    maxActiveKeys: keys.maxActiveKeys ?? null,
  };
}

/**
 * The stricter of product and organization, member by member. A product that was tightened later
 * counts at once, whatever organizations said before; of two plans the product's counts.
 * @param now durations with months are compared as they lie from here
 */
export function effectivePolicy(
  product: ProductSettings,
  own: OwnPolicy,
  now: Date,
): EffectivePolicy {
  const base = productPolicy(product);
  const shorter = (a: string | null, b: string | null): string | null => {
    if (a === null || b === null) return a ?? b;
    return isLonger(b, a, now) ? a : b;
  };
  const counts = [base.maxActiveKeys, own.maxActiveKeys].filter((count) => count !== null);
  const maxLifetime = shorter(base.maxLifetime, own.maxLifetime);
  const { defaultExpiresIn } = product.keys;
  return {
    managedBy: effectiveManager(product, own),
    requiredPlan: base.requiredPlan ?? own.requiredPlan,
    maxLifetime,
    expirationRequired: base.expirationRequired || own.expirationRequired === true,
    defaultRotationGrace: shorter(base.defaultRotationGrace, own.defaultRotationGrace),
    maxActiveKeys: counts.length === 0 ? null : Math.min(...counts),
    defaultExpiresIn:
      defaultExpiresIn && (shorter(defaultExpiresIn, maxLifetime) ?? defaultExpiresIn),
  };
}

/** Who manages keys: the stricter of product and organization. */
export function effectiveManager(
  { policy }: Pick<Product, 'policy'>,
  own: Pick<OwnPolicy, 'managedBy'>,
): Role {
  return own.managedBy === 'ADMIN' ? 'ADMIN' : policy.managedBy;
}

/**
 * Passes a change on, checked for itself.
 * @throws InputError naming the member of `input` at fault
 */
export function checkPatch(input: PolicyPatch): PolicyPatch {
  const { requiredPlan, maxLifetime, defaultRotationGrace, maxActiveKeys } = input;
  if (requiredPlan != null) checkText(requiredPlan, 'input.requiredPlan', { min: 1, max: 100 });
  if (defaultRotationGrace != null) {
    parseDuration(defaultRotationGrace, 'input.defaultRotationGrace');
  }
  if (maxLifetime != null && parseDuration(maxLifetime, 'input.maxLifetime').value.toMillis() < 1) {
    throw new InputError('input.maxLifetime', 'input.maxLifetime must be longer than PT0S.');
  }
  if (maxActiveKeys != null && (maxActiveKeys < 1 || maxActiveKeys > 1_000_000)) {
    throw new InputError('input.maxActiveKeys', 'input.maxActiveKeys must be from 1 to 1,000,000.');
  }
  return input;
}

/**
 * An organization's policy can be stricter than the product's, never looser; what it tightened
 * itself it may loosen again up to there.
 * @throws PolicyError with rule POLICY_LOOSENED naming the member of `input`
 */
export function checkTightening(product: KeyPolicy, patch: PolicyPatch, now: Date): void {
  for (const [member, asked] of Object.entries(patch)) {
    if (asked == null || !isLooser(product, { [member]: asked }, now)) continue;
    const limit = new Map<string, unknown>(Object.entries(product)).get(member);
    throw new PolicyError(
      'POLICY_LOOSENED',
      `input.${member} must not be looser than the product's, which is ${String(limit)}.`,
      { field: `input.${member}`, product: limit },
    );
  }
}

function isLooser(product: KeyPolicy, asked: PolicyPatch, now: Date): boolean {
  const tooLong = (given: string | null | undefined, limit: string | null): boolean =>
    given != null && limit !== null && isLonger(given, limit, now);
  return (
    (asked.managedBy === 'MEMBER' && product.managedBy === 'ADMIN') ||
    (asked.requiredPlan != null && ![asked.requiredPlan, null].includes(product.requiredPlan)) ||
    tooLong(asked.maxLifetime, product.maxLifetime) ||
    (asked.expirationRequired === false && product.expirationRequired) ||
    tooLong(asked.defaultRotationGrace, product.defaultRotationGrace) ||
    (asked.maxActiveKeys ?? 0) > (product.maxActiveKeys ?? Infinity)
  );
}

function isLonger(one: string, other: string, now: Date): boolean {
  const end = (text: string): Date => addDuration(now, parseDuration(text, 'policy'));
  return end(one) > end(other);
}

/**
 * A plan gate: new keys need the plan that the policy names, exactly spelled.
 * @throws PolicyError with rule REQUIRED_PLAN
 */
export function requirePlan({ requiredPlan }: KeyPolicy, plan: string): void {
  if (requiredPlan === null || plan === requiredPlan) return;
  throw new PolicyError(
    'REQUIRED_PLAN',
    `New API keys need the plan "${requiredPlan}"; your organization is on "${plan}".`,
    { requiredPlan, plan },
  );
}

/**
 * What a person may do. An ADMIN has every scope. A MEMBER has, where members manage keys, every
 * scope but `organization:write` and the one that covers it; a product whose keys all have full
 * access gives its members the same, since every key they make has it. Where only admins manage
 * keys, a MEMBER has none of Keyward's own scopes.
 */
export function personScopes(
  role: Role,
  managedBy: Role,
  { keys, catalogue }: ProductSettings,
): ReadonlySet<string> {
  const names = new Set(catalogue.names);
  if (role === 'ADMIN') return names;
  const everyKeyCanAll = keys.permissions === 'full_access';
  if (managedBy === 'MEMBER' && everyKeyCanAll) return names;
  const withheld =
    managedBy === 'MEMBER' ? ['organization:write'] : ownScopes.map(({ name }) => name);
  for (const name of withheld) names.delete(name);
  if (catalogue.fullAccess !== undefined) names.delete(catalogue.fullAccess);
  return names;
}
