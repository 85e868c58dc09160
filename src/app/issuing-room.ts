import type { AuditService } from '../audit/audit.service';
import type { Product } from '../config-product';
import type { Database } from '../database/database';
import type { ListSizes } from '../graphql/document-cost';
import type { SchemaParts } from '../graphql/schema';
import { pageSize } from '../kernel/pages';
import { maxAdvice } from '../keys/advice';
import { AdviceResolver } from '../keys/advice.resolver';
import type { ApiKeyListRepository } from '../keys/api-key-list.repository';
import type { ApiKeyLoader } from '../keys/api-key.loader';
import type { ApiKeyRepository } from '../keys/api-key.repository';
import { BulkRevocationRepository } from '../keys/bulk-revocation.repository';
import { BulkRevocationResolver } from '../keys/bulk-revocation.resolver';
import { BulkRevocationService } from '../keys/bulk-revocation.service';
import type { CallerGuard } from '../keys/caller-guard.service';
import { CreationService } from '../keys/creation.service';
import { IdempotencyRepository } from '../keys/idempotency.repository';
import { IdempotencyService } from '../keys/idempotency.service';
import { IssuingService } from '../keys/issuing.service';
import type { KeyDigester } from '../keys/key-digest';
import { ReplacementService } from '../keys/replacement.service';
import { RevocationService } from '../keys/revocation.service';
import { ApiKeyRotationResolver, RotationResolver } from '../keys/rotation.resolver';
import { RotationService } from '../keys/rotation.service';
import { SuccessionRepository } from '../keys/succession.repository';
import { SuccessionResolver } from '../keys/succession.resolver';
import { SuccessionService } from '../keys/succession.service';
import type { KeyPolicyService } from '../organizations/key-policy.service';

/** What the part of the keys' room that issues and ends keys is furnished with. */
export interface IssuingFurniture {
  readonly database: Database;
  readonly product: Product;
  readonly policies: KeyPolicyService;
  readonly audit: AuditService;
  readonly digester: KeyDigester;
  readonly keys: ApiKeyRepository;
  readonly lists: ApiKeyListRepository;
  readonly guard: CallerGuard;
  readonly loadKey: ApiKeyLoader;
}

/** What that part offers to the others. */
export interface IssuingRoom {
  readonly creation: CreationService;
  readonly revocation: RevocationService;
  readonly idempotency: IdempotencyService;
  /** One of each of `issuingResolvers`. */
  readonly instances: SchemaParts['instances'];
}

/** The resolvers of rotation, replacement, bulk revocation and advice. */
export const issuingResolvers = [
  SuccessionResolver,
  BulkRevocationResolver,
  ApiKeyRotationResolver,
  RotationResolver,
  AdviceResolver,
] as const;

/** How long its lists may be. */
export const issuingListSizes: ListSizes = {
  'RevokeApiKeysPayload.apiKeys': () => pageSize.max,
  'ApiKey.advice': () => maxAdvice,
};

/** Builds what creates, rotates, replaces and revokes keys, and advises to. */
export function createIssuingRoom(furniture: IssuingFurniture): IssuingRoom {
  const { database, product, policies, audit, digester, keys, lists, guard, loadKey } = furniture;
  const successions = new SuccessionRepository();
  const revocations = new BulkRevocationRepository();
  const idempotency = new IdempotencyService(database, new IdempotencyRepository(), keys);
  const issuing = new IssuingService(keys, digester, product);
  const parts = {
    ...{ database, keys, successions, guard, idempotency, issuing, policies, audit, product },
  };
  const succession = new SuccessionService(parts);
  const bulk = new BulkRevocationService({ ...parts, lists, revocations });
  const isAvoidableFullAccess = (scopes: readonly string[]): boolean =>
    product.keys.permissions === 'scopes' && product.catalogue.isEverything(scopes);
  return {
    idempotency,
    creation: new CreationService(parts),
    revocation: new RevocationService(database, keys, successions, guard, audit),
    instances: [
      new SuccessionResolver(
        new RotationService(succession, successions, product),
        new ReplacementService(succession, product),
      ),
      new BulkRevocationResolver(bulk),
      new ApiKeyRotationResolver(),
      new RotationResolver(loadKey),
      new AdviceResolver(loadKey, isAvoidableFullAccess),
    ],
  };
}
