import type { Database } from './database';

const batchSize = 5_000;

/**
 * Deletes up to 5,000 of a table's rows that meet a condition, those that another process is
 * deleting left to it.
 * @param table and `condition`, SQL of ours
 * @returns whether there may be more
 */
export async function deleteSome(
  database: Database,
  table: string,
  condition: string,
  values: readonly unknown[] = [],
): Promise<boolean> {
  const sql = `
    WITH deleted AS (
      DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${String(batchSize)}
        FOR UPDATE SKIP LOCKED))
      RETURNING 1)
    SELECT count(*)::int AS count FROM deleted`;
  const [deleted] = await database.read(async (tx): Promise<{ count: number }[]> =>
    tx.query(sql, [...values]),
  );
  return deleted?.count === batchSize;
}
