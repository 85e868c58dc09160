import type { AuditService } from '../audit/audit.service';
import type { Product } from '../config-product';
import type { Database } from '../database/database';
import type { SchemaParts } from '../graphql/schema';
import { AdviceResolver } from '../keys/advice.resolver';
import type { ApiKeyListRepository } from '../keys/api-key-list.repository';
import type { ApiKeyLoader } from '../keys/api-key.loader';
import type { ApiKeyRepository } from '../keys/api-key.repository';
import { BulkRevocationRepository } from '../keys/bulk-revocation.repository';
import { BulkRevocationResolver } from '../keys/bulk-revocation.resolver';
import { BulkRevocationService } from '../keys/bulk-revocation.service';
import type { CallerGuard } from '../keys/caller-guard.service';
import type { IdempotencyService } from '../keys/idempotency.service';
import type { IssuingService } from '../keys/issuing.service';
import { ReplacementService } from '../keys/replacement.service';
import { ApiKeyRotationResolver, RotationResolver } from '../keys/rotation.resolver';
import { RotationService } from '../keys/rotation.service';
import type { SuccessionRepository } from '../keys/succession.repository';
import { SuccessionResolver } from '../keys/succession.resolver';
import { SuccessionService } from '../keys/succession.service';
import { createLateRequestsLoader } from '../usage/late-requests.loader';
import { LateRequestsRepository } from '../usage/late-requests.repository';
import { LateRequestsService } from '../usage/late-requests.service';
import { RotationUsageResolver } from '../usage/rotation-usage.resolver';

/** What successions are furnished with. */
export interface SuccessionFurniture {
  readonly database: Database;
  readonly product: Product;
  readonly audit: AuditService;
  readonly keys: ApiKeyRepository;
  readonly lists: ApiKeyListRepository;
  readonly successions: SuccessionRepository;
  readonly guard: CallerGuard;
  readonly idempotency: IdempotencyService;
  readonly issuing: IssuingService;
  readonly loadKey: ApiKeyLoader;
}

/** The resolvers of rotation, replacement, bulk revocation and advice. */
export const successionResolvers = [
  SuccessionResolver,
  BulkRevocationResolver,
  ApiKeyRotationResolver,
  RotationResolver,
  RotationUsageResolver,
  AdviceResolver,
] as const;

/** Builds what rotates, replaces, revokes many, and advises to. */
export function createSuccessions(parts: SuccessionFurniture): SchemaParts['instances'] {
  const { database, product, audit, keys, lists, successions, guard, loadKey } = parts;
  const succession = new SuccessionService(parts);
  const revocations = new BulkRevocationRepository();
  const lateRequests = new LateRequestsService(new LateRequestsRepository(database));
  return [
    new SuccessionResolver(
      new RotationService(succession, keys, product),
      new ReplacementService(succession, product),
    ),
    new BulkRevocationResolver(
      new BulkRevocationService({
        ...{ database, keys, lists, revocations, successions, guard, audit },
      }),
    ),
    new ApiKeyRotationResolver(),
    new RotationResolver(loadKey),
    new RotationUsageResolver(createLateRequestsLoader(lateRequests)),
    new AdviceResolver(
      loadKey,
      (scopes) => product.keys.permissions === 'scopes' && product.catalogue.isEverything(scopes),
    ),
  ];
}
