import type { UsageRetention } from '../config';
import type { PartitionRepository } from './partition.repository';
import type { UsageCountRepository } from './usage-count.repository';

/** Ends the usage that was kept long enough. */
export class RetentionService {
  constructor(
    private readonly partitions: PartitionRepository,
    private readonly counts: UsageCountRepository,
  ) {}

  /**
   * Deletes what is older than it is to be kept, by the database's clock, little by little. Any
   * number of processes may do so at once, and be interrupted: the next one goes on.
   * @param signal stops it before its next step
   */
  async discard({ recordDays, countDays }: UsageRetention, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.partitions.dropOldest(recordDays)));
    while (!signal.aborted && (await this.counts.deleteSome(countDays)));
  }
}
