import type { Transaction } from '../database/database';
import type { OrganizationId } from '../kernel/ids';
import type { Role } from '../kernel/principal';
import type { OwnPolicy } from './key-policy';

/** What an organization says about its keys, and the plan that gates are about. */
export interface OrganizationTerms {
  readonly name: string;
  readonly plan: string;
  readonly own: OwnPolicy;
}

interface Row {
  readonly name: string;
  readonly plan: string;
  readonly managed_by: Role | null;
  readonly required_plan: string | null;
  readonly max_lifetime: string | null;
  readonly expiration_required: boolean | null;
  readonly default_rotation_grace: string | null;
  readonly max_active_keys: number | null;
}

/** Reads and writes the policy columns of `organizations`. */
export class KeyPolicyRepository {
  /** The organization's terms, or undefined when there is no such organization. */
  async find(tx: Transaction, id: OrganizationId): Promise<OrganizationTerms | undefined> {
    return this.#select(tx, id, '');
  }

  /** The same, kept from changing until the transaction ends. */
  async lock(tx: Transaction, id: OrganizationId): Promise<OrganizationTerms | undefined> {
    return this.#select(tx, id, 'FOR NO KEY UPDATE');
  }

  /** Writes all members. */
  async set(tx: Transaction, id: OrganizationId, own: OwnPolicy): Promise<void> {
    await tx.query(
      `UPDATE organizations SET managed_by = $2, required_plan = $3, max_lifetime = $4,
         expiration_required = $5, default_rotation_grace = $6, max_active_keys = $7
       WHERE id = $1`,
      [
        id,
        own.managedBy,
        own.requiredPlan,
        own.maxLifetime,
        own.expirationRequired,
        own.defaultRotationGrace,
        own.maxActiveKeys,
      ],
    );
  }

  async #select(
    tx: Transaction,
    id: OrganizationId,
    locking: '' | 'FOR NO KEY UPDATE',
  ): Promise<OrganizationTerms | undefined> {
    const rows: Row[] = await tx.query(
      `SELECT name, plan, managed_by, required_plan, max_lifetime, expiration_required,
              default_rotation_grace, max_active_keys
       FROM organizations WHERE id = $1 ${locking}`,
      [id],
    );
    return rows.map(toTerms)[0];
  }
}

function toTerms(row: Row): OrganizationTerms {
  return {
    name: row.name,
    plan: row.plan,
    own: {
      managedBy: row.managed_by,
      requiredPlan: row.required_plan,
      maxLifetime: row.max_lifetime,
      expirationRequired: row.expiration_required,
      defaultRotationGrace: row.default_rotation_grace,
      maxActiveKeys: row.max_active_keys,
    },
  };
}
