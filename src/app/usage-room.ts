import type { Database } from '../database/database';
import { FewReads } from '../database/few-reads';
import type { ListSizes } from '../graphql/document-cost';
import type { SchemaParts } from '../graphql/schema';
import { systemClock } from '../kernel/clock';
import type { ApiKeyLoader } from '../keys/api-key.loader';
import { ApiKeyRequestRepository } from '../usage/api-key-request.repository';
import { KeyRequestsResolver, RequestKeyResolver } from '../usage/api-key-request.resolver';
import { ApiKeyRequestService } from '../usage/api-key-request.service';
import { KeyUsageResolver } from '../usage/key-usage.resolver';
import { createLateRequestsLoader } from '../usage/late-requests.loader';
import { LateRequestsRepository } from '../usage/late-requests.repository';
import { LateRequestsService } from '../usage/late-requests.service';
import { PartitionRepository } from '../usage/partition.repository';
import { RetentionService } from '../usage/retention.service';
import { RotationUsageResolver } from '../usage/rotation-usage.resolver';
import { estimateBuckets } from '../usage/usage-buckets';
import { createUsageCountLoader } from '../usage/usage-count.loader';
import { UsageCountRepository } from '../usage/usage-count.repository';
import { UsageCountService } from '../usage/usage-count.service';
import { UsageRepository } from '../usage/usage.repository';
import { UsageService } from '../usage/usage.service';
import type { Meter } from '../signals/meter';

/** What the room offers to the others. */
export interface UsageRoom {
  readonly usage: UsageService;
  readonly retention: RetentionService;
  /** One of each of `usageResolvers`. */
  readonly instances: SchemaParts['instances'];
}

/** The resolvers of the room. */
export const usageResolvers = [
  KeyUsageResolver,
  KeyRequestsResolver,
  RequestKeyResolver,
  RotationUsageResolver,
] as const;

const buckets: ListSizes[string] = (sent) => estimateBuckets(sent, systemClock.now());

/** How long its lists may be. */
export const usageListSizes: ListSizes = { 'ApiKey.usage': buckets, 'Query.apiKeyUsage': buckets };

/** Of the pool's connections, that part may be busy with reads of usage; of ten, two. */
const partForReads = 1 / 5;

/** Builds what records usage, shows it, and ends its retention. */
export function createUsageRoom(
  database: Database,
  loadKey: ApiKeyLoader,
  meter: Meter | undefined,
): UsageRoom {
  const { max, query_timeout: waitMs = 0 } = database.pool.options;
  const reads = new FewReads(database, {
    atOnce: Math.max(1, Math.floor(max * partForReads)),
    waitMs,
  });
  const partitions = new PartitionRepository(database);
  const countRepository = new UsageCountRepository(database);
  const counts = new UsageCountService(reads, countRepository);
  const requests = new ApiKeyRequestService(reads, new ApiKeyRequestRepository());
  const lateRequests = new LateRequestsService(new LateRequestsRepository(database));
  return {
    usage: new UsageService(new UsageRepository(database, partitions), partitions, meter),
    retention: new RetentionService(partitions, countRepository),
    instances: [
      new KeyUsageResolver(counts, createUsageCountLoader(counts)),
      new KeyRequestsResolver(requests),
      new RequestKeyResolver(loadKey),
      new RotationUsageResolver(createLateRequestsLoader(lateRequests)),
    ],
  };
}
