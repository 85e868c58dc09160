import type { Database, Transaction } from '../database/database';
import { deleteSome } from '../database/delete-some';
import { parseApiKeyId, type ApiKeyId, type OrganizationId } from '../kernel/ids';
import { bucketMs, type UsageCount, type UsageRange } from './usage-buckets';

// date_part and not extract, whose numerics take half as long again.
const counts = `
  floor(date_part('epoch', hour - $2) / $4)::int AS place,
  least(coalesce(sum(requests) FILTER (WHERE outcome = 'VALID'), 0), 2147483647)::int AS allowed,
  least(coalesce(sum(requests) FILTER (WHERE outcome <> 'VALID'), 0), 2147483647)::int AS refused`;

/** Reads the hourly counts of one organization, and deletes old ones of all. */
export class UsageCountRepository {
  constructor(private readonly database: Database) {}

  /** What was counted for each of these keys, in the buckets where something was. */
  async ofKeys(
    tx: Transaction,
    organizationId: OrganizationId,
    apiKeyIds: readonly ApiKeyId[],
    range: UsageRange,
  ): Promise<ReadonlyMap<ApiKeyId, readonly UsageCount[]>> {
    const rows: (UsageCount & { apiKeyId: string })[] = await tx.query(
      `SELECT api_key_id AS "apiKeyId", ${counts} FROM api_key_usage_hours
       WHERE organization_id = $1 AND hour >= $2 AND hour < $3 AND api_key_id = ANY($5)
       GROUP BY 1, 2`,
      [organizationId, ...columnsOf(range), apiKeyIds],
    );
    const found = new Map<ApiKeyId, UsageCount[]>(apiKeyIds.map((id) => [id, []]));
    for (const { apiKeyId, ...count } of rows) {
      const id = parseApiKeyId(apiKeyId);
      if (id !== undefined) found.get(id)?.push(count);
    }
    return found;
  }

  /**
   * What was counted in the whole organization, secrets that are no key's among it. First summed
   * over its keys, for those are the many: their places are not worked out one by one.
   */
  async ofOrganization(
    tx: Transaction,
    organizationId: OrganizationId,
    range: UsageRange,
  ): Promise<readonly UsageCount[]> {
    return tx.query(
      `SELECT ${counts} FROM (
         SELECT hour, outcome, sum(requests) AS requests FROM api_key_usage_hours
         WHERE organization_id = $1 AND hour >= $2 AND hour < $3 GROUP BY 1, 2
       ) AS hours GROUP BY 1`,
      [organizationId, ...columnsOf(range)],
    );
  }

  /**
   * Deletes some of the counts of hours that ended `days` or more ago, by the database's clock.
   * @returns whether there may be more
   */
  async deleteSome(days: number): Promise<boolean> {
    const isOld = `hour <= statement_timestamp() - make_interval(days => $1, hours => 1)`;
    return deleteSome(this.database, 'api_key_usage_hours', isOld, [days]);
  }
}

function columnsOf({ from, to, granularity }: UsageRange): readonly unknown[] {
  return [from, to, bucketMs[granularity] / 1000];
}
