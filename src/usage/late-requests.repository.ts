import type { Database } from '../database/database';
import type { LateRequestsQuestion } from './late-requests';

// The counts of whole hours, and the records themselves for the hour that `since` lies in: exact,
// and as much work for a busy key as for an idle one.
const count = {
  name: 'keyward_count_late_requests',
  text: `
    SELECT least(
        (SELECT coalesce(sum(hours.requests), 0) FROM api_key_usage_hours hours
         WHERE hours.api_key_id = asked.api_key_id AND hours.organization_id = asked.organization_id
           AND hours.hour >= asked.next_hour) +
        (SELECT count(*) FROM api_key_requests request
         WHERE request.api_key_id = asked.api_key_id
           AND request.organization_id = asked.organization_id
           AND request.at > asked.since AND request.at < asked.next_hour),
        2147483647)::int AS requests
    FROM (SELECT *, date_trunc('hour', since, 'UTC') + interval '1 hour' AS next_hour
          FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
            WITH ORDINALITY AS given (organization_id, api_key_id, since, place)) AS asked
    ORDER BY place`,
};

/** Counts requests made with keys that had a successor already. */
export class LateRequestsRepository {
  constructor(private readonly database: Database) {}

  /** The requests, for each question in turn; up to 2,147,483,647. */
  async count(questions: readonly LateRequestsQuestion[]): Promise<readonly number[]> {
    const rows = await this.database.run<{ requests: number }>(count, [
      questions.map(({ organizationId }) => organizationId),
      questions.map(({ apiKeyId }) => apiKeyId),
      questions.map(({ since }) => since.toISOString()),
    ]);
    return rows.map(({ requests }) => requests);
  }
}
