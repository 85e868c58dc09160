import { In } from 'typeorm';
import type { Transaction } from '../database/database';
import { parseOrganizationId, type OrganizationId } from '../kernel/ids';
import type { Organization } from './organization';
import { OrganizationEntity } from './organization.entity';

/** Reads and adds rows of `organizations`. */
export class OrganizationRepository {
  /** The organizations with these ids, in no particular order; unknown ids are left out. */
  async findByIds(tx: Transaction, ids: readonly OrganizationId[]): Promise<Organization[]> {
    const rows = await tx.findBy(OrganizationEntity, { id: In(ids) });
    return rows.map(toOrganization);
  }

  /** The organization of a slug. */
  async findBySlug(tx: Transaction, slug: string): Promise<Organization | undefined> {
    const row = await tx.findOneBy(OrganizationEntity, { slug });
    return row === null ? undefined : toOrganization(row);
  }

  /** Adds an organization unless its slug is taken; says whether it was added. */
  async addIfNew(tx: Transaction, organization: Organization, createdAt: Date): Promise<boolean> {
    const result = await tx
      .createQueryBuilder()
      .insert()
      .into(OrganizationEntity)
      .values({ ...organization, createdAt })
      .orIgnore()
      .returning('id')
      .execute();
    return Array.isArray(result.raw) && result.raw.length === 1;
  }

  /**
   * Makes an organization that of an external id, unless another one is.
   * @returns the external id it had before; undefined when another organization has the new one
   */
  async link(
    tx: Transaction,
    id: OrganizationId,
    externalId: string,
  ): Promise<{ readonly before: string | null } | undefined> {
    await tx.query(`SELECT FROM organizations WHERE id = $1 FOR NO KEY UPDATE`, [id]);
    const rows: { external_id: string | null }[] = await tx.query(
      `SELECT external_id FROM organizations WHERE id = $1 OR external_id = $2`,
      [id, externalId],
    );
    const [own, other] = rows;
    if (own === undefined || other !== undefined) return undefined;
    await tx.query(`UPDATE organizations SET external_id = $2 WHERE id = $1`, [id, externalId]);
    return { before: own.external_id };
  }
}

function toOrganization(row: OrganizationEntity): Organization {
  const id = parseOrganizationId(row.id);
  if (id === undefined) throw new Error('organizations.id holds no UUID');
  return { id, slug: row.slug, name: row.name, plan: row.plan };
}
