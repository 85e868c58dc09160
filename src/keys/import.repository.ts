import type { Transaction } from '../database/database';
import { parseApiKeyId, parseOrganizationId, type ApiKeyId } from '../kernel/ids';
import type { OrganizationId } from '../kernel/ids';

/** A key that was imported earlier. */
export interface EarlierImport {
  readonly apiKeyId: ApiKeyId;
  readonly organizationId: OrganizationId;
  /** The digest with which it was imported, as it is kept today. */
  readonly digest: Buffer;
}

interface ImportedRow {
  readonly id: string;
  readonly organization_id: string;
  readonly digest: Buffer;
}

// Any number will do, as long as every Keyward process uses the same.
const importLock = 5_494_231_079;

/** Remembers which keys were imported, in all organizations. */
export class ImportRepository {
  /** Lets one transaction at a time import keys. */
  async lock(tx: Transaction): Promise<void> {
    await tx.query(`SELECT pg_advisory_xact_lock($1)`, [importLock]);
  }

  /** The imported keys with these digests, whosever they are. */
  async find(tx: Transaction, digests: readonly Buffer[]): Promise<readonly EarlierImport[]> {
    const rows: ImportedRow[] = await tx.query(
      `SELECT key.id, key.organization_id, imported.digest
       FROM api_key_imports imported JOIN api_keys key ON key.id = imported.api_key_id
       WHERE imported.digest = ANY($1)`,
      [digests],
    );
    return rows.map(({ id, organization_id, digest }) => {
      const apiKeyId = parseApiKeyId(id);
      const organizationId = parseOrganizationId(organization_id);
      if (apiKeyId === undefined || organizationId === undefined) throw new Error('no UUID');
      return { apiKeyId, organizationId, digest };
    });
  }

  /** Remembers that a key was imported. */
  async add(tx: Transaction, id: ApiKeyId, digest: Buffer): Promise<void> {
    await tx.query(`INSERT INTO api_key_imports (api_key_id, digest) VALUES ($1, $2)`, [
      id,
      digest,
    ]);
  }
}
