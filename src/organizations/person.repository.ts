import type { Database, Transaction } from '../database/database';
import { parseOrganizationId, parseUserId, type OrganizationId, type UserId } from '../kernel/ids';
import type { Role } from '../kernel/principal';
import type { KnownOrganization, KnownPerson, PersonClaims } from './person';

interface Row {
  readonly organization_id: string;
  readonly organization_name: string;
  readonly plan: string;
  readonly managed_by: Role | null;
  readonly organization_open: boolean;
  readonly user_id: string | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly role: Role;
  readonly person_open: boolean;
  readonly seen_today: boolean;
}

// `claims_at` counts from the newest token that changed the row; see organizations/person.ts.
const findPerson = {
  name: 'keyward_find_person',
  text: `
    SELECT o.id AS organization_id, o.name AS organization_name, o.plan, o.managed_by,
           o.claims_at <= $3 AS organization_open, u.id AS user_id, u.name, u.email, u.role,
           u.claims_at <= $3 AS person_open,
           u.last_seen_at > statement_timestamp() - interval '1 day' AS seen_today
    FROM organizations o LEFT JOIN users u ON u.organization_id = o.id AND u.subject = $2
    WHERE o.external_id = $1`,
};

/** Reads and writes `users` and what their tokens say about their organizations. */
export class PersonRepository {
  constructor(private readonly database: Database) {}

  /** The person of these claims, or as much as there is of them: just the organization, or nothing. */
  async find(claims: PersonClaims): Promise<KnownOrganization | KnownPerson | undefined> {
    const rows = await this.database.run<Row>(findPerson, keyOf(claims));
    return rows.map(toKnown)[0];
  }

  /** The same, as the transaction sees it. */
  async findIn(
    tx: Transaction,
    claims: PersonClaims,
  ): Promise<KnownOrganization | KnownPerson | undefined> {
    const rows: Row[] = await tx.query(findPerson.text, [...keyOf(claims)]);
    return rows.map(toKnown)[0];
  }

  /**
   * Keeps others from changing the organization and its people until the transaction ends; waits
   * for one that does, or that is just adding it.
   * @returns whether there is such an organization
   */
  async lockOrganization(tx: Transaction, { externalId }: PersonClaims): Promise<boolean> {
    const rows: object[] = await tx.query(
      `SELECT FROM organizations WHERE external_id = $1 FOR NO KEY UPDATE`,
      [externalId],
    );
    return rows.length > 0;
  }

  /** Adds an organization unless its external id or its slug is taken; says whether it was added. */
  async addOrganization(
    tx: Transaction,
    organization: {
      readonly id: OrganizationId;
      readonly slug: string;
      readonly name: string;
      readonly plan: string;
    },
    { externalId, issuedAt }: PersonClaims,
    now: Date,
  ): Promise<boolean> {
    const { id, slug, name, plan } = organization;
    const rows: object[] = await tx.query(
      `INSERT INTO organizations (id, slug, name, plan, created_at, external_id, claims_at)
       VALUES ($1, $2, $3, $4, $5, $6, least($7, $5::timestamptz)) ON CONFLICT DO NOTHING RETURNING id`,
      [id, slug, name, plan, now, externalId, issuedAt],
    );
    return rows.length > 0;
  }

  /** Adds a person to an organization that is locked. */
  async addPerson(
    tx: Transaction,
    organizationId: OrganizationId,
    id: UserId,
    { subject, name, email, role, issuedAt }: PersonClaims,
    now: Date,
  ): Promise<void> {
    await tx.query(
      `INSERT INTO users (id, organization_id, subject, name, email, role, created_at, last_seen_at,
         claims_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $7, least($8, $7::timestamptz))`,
      [id, organizationId, subject, name, email, role, now, issuedAt],
    );
  }

  /** Writes what a token says about its organization. */
  async updateOrganization(
    tx: Transaction,
    id: OrganizationId,
    news: Pick<KnownOrganization, 'organizationName' | 'plan'>,
    { issuedAt }: PersonClaims,
    now: Date,
  ): Promise<void> {
    await tx.query(
      `UPDATE organizations SET name = $2, plan = $3, claims_at = least($4, $5::timestamptz)
       WHERE id = $1`,
      [id, news.organizationName, news.plan, issuedAt, now],
    );
  }

  /** Writes what a token says about its person. */
  async updatePerson(
    tx: Transaction,
    { organizationId, userId }: KnownPerson,
    { name, email, role }: Pick<KnownPerson, 'name' | 'email' | 'role'>,
    { issuedAt }: PersonClaims,
    now: Date,
  ): Promise<void> {
    await tx.query(
      `UPDATE users SET name = $3, email = $4, role = $5, claims_at = least($6, $7::timestamptz)
       WHERE organization_id = $1 AND id = $2`,
      [organizationId, userId, name, email, role, issuedAt, now],
    );
  }

  /** Notes that a person was seen. */
  async touch(tx: Transaction, { organizationId, userId }: KnownPerson, now: Date): Promise<void> {
    await tx.query(`UPDATE users SET last_seen_at = $3 WHERE organization_id = $1 AND id = $2`, [
      organizationId,
      userId,
      now,
    ]);
  }
}

function keyOf({ externalId, subject, issuedAt }: PersonClaims): readonly unknown[] {
  return [externalId, subject, issuedAt];
}

function toKnown(row: Row): KnownOrganization | KnownPerson {
  const organizationId = parseOrganizationId(row.organization_id);
  if (organizationId === undefined) throw new Error('organizations.id holds no UUID');
  const organization = {
    organizationId,
    organizationName: row.organization_name,
    plan: row.plan,
    managedBy: row.managed_by,
    organizationOpen: row.organization_open,
  };
  if (row.user_id === null) return organization;
  const userId = parseUserId(row.user_id);
  if (userId === undefined) throw new Error('users.id holds no UUID');
  const { name, email, role, person_open: personOpen, seen_today: seenToday } = row;
  return { ...organization, userId, name, email, role, personOpen, seenToday };
}
