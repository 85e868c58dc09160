import { BatchedLookup } from '../kernel/batched-lookup';
import type { Database } from '../database/database';
import { noMeter, type Meter } from '../signals/meter';
import type { KeyDigest } from './key-digest';
import type { PresentedKey } from './presented-key';

// The driver's rows come as these types by the columns' definitions.
const columns = `digest, id, organization_id AS "organizationId", name, environment, scopes,
  expires_at AS "expiresAt", least(expires_at, retires_at) AS "endsAt", pepper_id AS "pepperId",
  api_key_status(api_keys) AS status, successor_id AS "successorId",
  date_trunc('milliseconds', statement_timestamp()) AS "checkedAt"`;

const findOne = {
  name: 'keyward_find_presented_key',
  text: `SELECT ${columns} FROM api_keys WHERE digest = $1`,
};

const findMany = {
  name: 'keyward_find_presented_keys',
  text: `SELECT ${columns} FROM api_keys WHERE digest = ANY($1)`,
};

const rehash = {
  name: 'keyward_rehash_key',
  text: `UPDATE api_keys SET digest = $1, pepper_id = $2 WHERE id = $3 AND digest = $4`,
};

// Of two replicas that see an imported key's first use, one finds the old digest still there.
const rehashImported = {
  name: 'keyward_rehash_imported_key',
  text: `WITH rehashed AS (
           UPDATE api_keys SET digest = $1, pepper_id = $2 WHERE id = $3 AND digest = $4
           RETURNING id)
         UPDATE api_key_imports SET digest = $5 WHERE api_key_id IN (SELECT id FROM rehashed)`,
};

type Candidates = readonly [KeyDigest, ...KeyDigest[]];

/** The hot path's look-ups: prepared statements, merged over concurrent requests, never cached. */
export class VerificationRepository {
  readonly #lookup: BatchedLookup<Candidates, PresentedKey>;

  constructor(
    private readonly database: Database,
    meter: Meter = noMeter,
  ) {
    this.#lookup = new BatchedLookup<Candidates, PresentedKey>({
      one: async (candidates) => this.#findOne(candidates),
      many: async (batch) => this.#findMany(batch),
      maxInFlight: 2, // measured: more only make each batch smaller
      maxBatchSize: 1000,
      observe: (keys) => meter.lookUp(keys),
    });
  }

  /** The key that has one of these digests. */
  find(candidates: Candidates): Promise<PresentedKey | undefined> {
    return this.#lookup.load(candidates);
  }

  /** Stores the digest under another pepper, unless another process did so meanwhile. */
  async rehash(key: PresentedKey, { digest, pepperId }: KeyDigest): Promise<void> {
    await this.database.run(rehash, [digest, pepperId, key.id, key.digest]);
  }

  /**
   * Stores the digest as `rehash` does, of a key that may have been imported. If it was, what later
   * imports know it by moves to the same pepper.
   */
  async rehashImported(
    key: PresentedKey,
    { digest, pepperId }: KeyDigest,
    imported: KeyDigest,
  ): Promise<void> {
    const values = [digest, pepperId, key.id, key.digest, imported.digest];
    await this.database.run(rehashImported, values);
  }

  async #findOne(candidates: Candidates): Promise<PresentedKey | undefined> {
    if (candidates.length > 1) return (await this.#findMany([candidates]))[0];
    const rows = await this.database.run<PresentedKey>(findOne, [candidates[0].digest]);
    return rows[0];
  }

  async #findMany(batch: readonly Candidates[]): Promise<readonly (PresentedKey | undefined)[]> {
    const digests = batch.flatMap((candidates) => candidates.map(({ digest }) => digest));
    const rows = await this.database.run<PresentedKey>(findMany, [digests]);
    const byDigest = new Map(rows.map((row) => [row.digest.toString('latin1'), row]));
    return batch.map((candidates) => {
      for (const { digest } of candidates) {
        const row = byDigest.get(digest.toString('latin1'));
        if (row !== undefined) return row;
      }
      return undefined;
    });
  }
}
