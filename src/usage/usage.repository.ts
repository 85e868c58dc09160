import { sqlState } from '../database/failures';
import type { Database } from '../database/database';
import { admittedOutcomes, type KeyRequest } from '../kernel/key-request';
import type { PartitionRepository } from './partition.repository';

/** A request with the id that makes writing it twice write it once. */
export interface IdentifiedRequest extends KeyRequest {
  readonly id: string;
}

// One statement, so one transaction: records, hourly counts, last uses. Written again (after an
// answer was lost) it adds nothing, for only records that were new are counted. Rows are taken in
// the order of their keys, so that two processes cannot deadlock. What is no key's is counted under
// the nil UUID, for a primary key holds no nulls.
const write = {
  name: 'keyward_write_requests',
  text: `
    WITH given AS (
      SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[],
        $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::int[])
        AS row (id, at, organization_id, api_key_id, request_id,
                service, operation, outcome, ip, user_agent, duration_ms)
    ), added AS (
      INSERT INTO api_key_requests (id, at, organization_id, api_key_id, request_id,
        service, operation, outcome, ip, user_agent, duration_ms)
      SELECT * FROM given ON CONFLICT DO NOTHING
      RETURNING api_key_id, organization_id, at, outcome
    ), counted AS (
      INSERT INTO api_key_usage_hours AS hours (api_key_id, hour, outcome, organization_id, requests)
      SELECT coalesce(api_key_id, '00000000-0000-0000-0000-000000000000') AS api_key_id,
        date_trunc('hour', at, 'UTC') AS hour, outcome, organization_id, count(*)
      FROM added GROUP BY 1, 2, 3, 4 ORDER BY 4, 1, 2, 3
      ON CONFLICT (organization_id, api_key_id, hour, outcome)
        DO UPDATE SET requests = hours.requests + excluded.requests
    )
    INSERT INTO api_key_last_uses AS used (api_key_id, organization_id, last_used_at)
    SELECT api_key_id, organization_id, max(at) FROM added
    WHERE outcome = ANY($12) AND api_key_id IS NOT NULL
    GROUP BY 1, 2 ORDER BY 1
    ON CONFLICT (api_key_id)
      DO UPDATE SET last_used_at = greatest(used.last_used_at, excluded.last_used_at)`,
};

const missingPartition = '23514';

/** Writes usage records and their counts. */
export class UsageRepository {
  constructor(
    private readonly database: Database,
    private readonly partitions: PartitionRepository,
  ) {}

  /** Makes requests durable, each exactly once however often it is given. */
  async write(requests: readonly IdentifiedRequest[]): Promise<void> {
    try {
      await this.database.run(write, toColumns(requests));
    } catch (error) {
      if (sqlState(error) !== missingPartition) throw error;
      await this.partitions.add(requests.map(({ at }) => at));
      await this.database.run(write, toColumns(requests));
    }
  }
}

function toColumns(requests: readonly IdentifiedRequest[]): readonly unknown[] {
  return [
    requests.map(({ id }) => id),
    requests.map(({ at }) => at.toISOString()),
    requests.map(({ organizationId }) => organizationId),
    requests.map(({ apiKeyId }) => apiKeyId),
    requests.map(({ requestId }) => requestId),
    requests.map(({ service }) => service),
    requests.map(({ operation }) => operation),
    requests.map(({ outcome }) => outcome),
    requests.map(({ ip }) => ip),
    requests.map(({ userAgent }) => userAgent),
    requests.map(({ durationMs }) => durationMs),
    admittedOutcomes,
  ];
}
