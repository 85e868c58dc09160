import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import type { Transaction } from './database';

/** Up to here a list's total is exact; a longer list's total is this number. */
const maxTotal = 100_000;

/** How many rows the query has, whatever it selects; 100,000 at most. */
export async function countTotal<Row extends ObjectLiteral>(
  tx: Transaction,
  query: SelectQueryBuilder<Row>,
): Promise<number> {
  const [sql, parameters] = query.select('1').limit(maxTotal).getQueryAndParameters();
  const rows: { count: number }[] = await tx.query(
    `SELECT count(*)::int AS count FROM (${sql}) AS listed`,
    parameters,
  );
  return rows[0]?.count ?? 0;
}
