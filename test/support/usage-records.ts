import type { TestDatabase } from './databases';

/** That the hourly counts are those of the records, exactly. */
export async function expectCountsOfRecords(database: TestDatabase): Promise<void> {
  const differences = await database.sql(
    `SELECT api_key_id, hour, outcome, records, counts.requests FROM (
       SELECT api_key_id, date_trunc('hour', at, 'UTC') AS hour, outcome, count(*) AS records
       FROM api_key_requests GROUP BY 1, 2, 3) AS counted
     FULL JOIN api_key_usage_hours AS counts USING (api_key_id, hour, outcome)
     WHERE records IS DISTINCT FROM counts.requests`,
  );
  expect(differences).toEqual([]);
}
