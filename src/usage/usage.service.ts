import { GroupCommit } from '../database/group-commit';
import { newUuid } from '../kernel/ids';
import type { KeyRequest } from '../kernel/key-request';
import { noMeter, type Meter } from '../signals/meter';
import type { PartitionRepository } from './partition.repository';
import type { IdentifiedRequest, UsageRepository } from './usage.repository';

const daysAhead = 7;
const maxRequestsPerCommit = 1000;

/** Keeps the record of every request made with a key. */
export class UsageService {
  readonly #commits: GroupCommit<IdentifiedRequest>;

  constructor(
    repository: UsageRepository,
    private readonly partitions: PartitionRepository,
    meter: Meter = noMeter,
  ) {
    this.#commits = new GroupCommit(
      async (requests) => meter.usageCommit(requests, () => repository.write(requests)),
      maxRequestsPerCommit,
    );
  }

  /** Makes ready for the coming days; a day that was not made ready is made when it is met. */
  async prepare(): Promise<void> {
    await this.partitions.addComing(daysAhead);
  }

  /**
   * Resolves when the records of one HTTP request are durable; its answer must not leave before.
   * @throws UnavailableError when they could not be recorded, so that it must not be answered
   */
  async record(requests: readonly KeyRequest[]): Promise<void> {
    await Promise.all(
      requests.map(async (request) => this.#commits.commit({ ...request, id: newUuid() })),
    );
  }
}
