import { databaseNow, type Database, type Transaction } from '../database/database';
import type { ApiKeyId, OrganizationId } from '../kernel/ids';
import {
  fillBuckets,
  toUsageRange,
  type UsageArguments,
  type UsageBucket,
  type UsageRange,
} from './usage-buckets';
import type { UsageCountRepository } from './usage-count.repository';

/** Tells how much keys are used, from the hourly counts. */
export class UsageCountService {
  constructor(
    private readonly database: Pick<Database, 'read'>,
    private readonly repository: UsageCountRepository,
  ) {}

  /**
   * The usage of each of these keys of the organization, with one query for all.
   * @throws InputError naming the argument at fault
   */
  async ofKeys(
    organizationId: OrganizationId,
    apiKeyIds: readonly ApiKeyId[],
    given: UsageArguments,
  ): Promise<readonly (readonly UsageBucket[])[]> {
    return this.database.read(async (tx) => {
      const range = await rangeOf(tx, given);
      const counts = await this.repository.ofKeys(tx, organizationId, apiKeyIds, range);
      return apiKeyIds.map((id) => fillBuckets(range, counts.get(id) ?? []));
    });
  }

  /**
   * The usage of all keys of the organization, and what was no key's.
   * @throws InputError naming the argument at fault
   */
  async ofOrganization(
    organizationId: OrganizationId,
    given: UsageArguments,
  ): Promise<readonly UsageBucket[]> {
    return this.database.read(async (tx) => {
      const range = await rangeOf(tx, given);
      return fillBuckets(range, await this.repository.ofOrganization(tx, organizationId, range));
    });
  }
}

async function rangeOf(tx: Transaction, given: UsageArguments): Promise<UsageRange> {
  return toUsageRange(given, given.to ?? (await databaseNow(tx)));
}
