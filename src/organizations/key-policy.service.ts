import type { AuditChanges } from '../audit/audit-event';
import type { AuditService } from '../audit/audit.service';
import type { Product } from '../config-product';
import { databaseNow, type Database, type Transaction } from '../database/database';
import type { OrganizationId } from '../kernel/ids';
import type { Caller, KnownPrincipal } from '../kernel/principal';
import {
  checkPatch,
  checkTightening,
  effectivePolicy,
  productPolicy,
  requirePlan,
  type EffectivePolicy,
  type OwnPolicy,
  type PolicyPatch,
} from './key-policy';
import type { KeyPolicyRepository, OrganizationTerms } from './key-policy.repository';

/** What the policies of organizations need of others. */
export interface KeyPolicyParts {
  readonly database: Database;
  readonly repository: KeyPolicyRepository;
  readonly audit: AuditService;
  readonly product: Pick<Product, 'keys' | 'policy' | 'catalogue'>;
  /**
   * Makes sure inside a transaction that the caller may still do things.
   * @throws AuthenticationError when its key was revoked or expired meanwhile
   */
  readonly admit: (tx: Transaction, principal: KnownPrincipal) => Promise<void>;
}

/** Says what counts for an organization's keys. */
export class KeyPolicyService {
  constructor(private readonly parts: KeyPolicyParts) {}

  /** What counts for the organization's keys at this moment. */
  async get(organizationId: OrganizationId): Promise<EffectivePolicy> {
    const { database, repository } = this.parts;
    return database.read(async (tx) =>
      this.#effective(found(await repository.find(tx, organizationId)), await databaseNow(tx)),
    );
  }

  /**
   * What a key that is made in this transaction has to keep to, its plan gate passed. Until the
   * transaction ends the policy stays as it is, and nobody else makes a key in the organization.
   * Keyward's own command line passes every plan gate: whoever runs it decides about plans.
   * @param now the instant at which the key is made, by the database's clock
   * @throws PolicyError with rule REQUIRED_PLAN
   */
  async forNewKey(
    tx: Transaction,
    { kind, organizationId }: KnownPrincipal,
    now: Date,
  ): Promise<EffectivePolicy> {
    const terms = found(await this.parts.repository.lock(tx, organizationId));
    const policy = this.#effective(terms, now);
    if (kind !== 'SYSTEM') requirePlan(policy, terms.plan);
    return policy;
  }

  /**
   * Changes the caller's organization's policy, with an audit event, in one transaction. What is
   * left out stays as it is; null is the product's again. Changing nothing records nothing.
   * @throws InputError naming the member of `input` at fault
   * @throws PolicyError with rule POLICY_LOOSENED naming the member that would be looser than the
   * product's
   */
  async update(caller: Caller, input: PolicyPatch): Promise<void> {
    const { database, repository, audit, product, admit } = this.parts;
    const { organizationId } = caller.principal;
    const patch = checkPatch(input);
    await database.transaction(async (tx) => {
      await admit(tx, caller.principal);
      const { name, own } = found(await repository.lock(tx, organizationId));
      const now = await databaseNow(tx);
      checkTightening(productPolicy(product), patch, now);
      const after = patched(own, patch);
      const changes = changesBetween(own, after);
      if (Object.keys(changes).length === 0) return;
      await repository.set(tx, organizationId, after);
      await audit.record(tx, caller, now, {
        action: 'organization.policy_updated',
        targetType: 'Organization',
        targetId: organizationId,
        targetName: name,
        changes,
      });
    });
  }

  #effective({ own }: OrganizationTerms, now: Date): EffectivePolicy {
    return effectivePolicy(this.parts.product, own, now);
  }
}

function found(terms: OrganizationTerms | undefined): OrganizationTerms {
  if (terms === undefined) throw new Error('an organization that is referred to is not there');
  return terms;
}

function patched(own: OwnPolicy, patch: PolicyPatch): OwnPolicy {
  const kept = <Value>(given: Value | undefined, before: Value): Value =>
    given === undefined ? before : given;
  return {
    managedBy: kept(patch.managedBy, own.managedBy),
    requiredPlan: kept(patch.requiredPlan, own.requiredPlan),
    maxLifetime: kept(patch.maxLifetime, own.maxLifetime),
    expirationRequired: kept(patch.expirationRequired, own.expirationRequired),
    defaultRotationGrace: kept(patch.defaultRotationGrace, own.defaultRotationGrace),
    maxActiveKeys: kept(patch.maxActiveKeys, own.maxActiveKeys),
  };
}

function changesBetween(before: OwnPolicy, after: OwnPolicy): AuditChanges {
  const was = new Map<string, unknown>(Object.entries(before));
  return Object.fromEntries(
    Object.entries(after)
      .filter(([member, to]) => was.get(member) !== to)
      .map(([member, to]) => [member, { from: was.get(member), to }]),
  );
}
