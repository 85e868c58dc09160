import { AuditEventEntity } from '../audit/audit-event.entity';
import { AuditChainRepository } from '../audit/audit-chain.repository';
import { AuditEventResolver } from '../audit/audit-event.resolver';
import { AuditRepository } from '../audit/audit.repository';
import { AuditService } from '../audit/audit.service';
import type { Pepper } from '../config';
import type { Product } from '../config-product';
import type { Database } from '../database/database';
import type { ListSizes } from '../graphql/document-cost';
import type { SchemaParts } from '../graphql/schema';
import type { Logger } from '../kernel/logger';
import type { Meter } from '../signals/meter';
import { ApiKeyEntity, ApiKeyLastUseEntity } from '../keys/api-key.entity';
import { ApiKeyListRepository } from '../keys/api-key-list.repository';
import { createApiKeyLoader } from '../keys/api-key.loader';
import { ApiKeyAuditResolver } from '../keys/api-key-audit.resolver';
import { ApiKeyMutationResolver } from '../keys/api-key-mutation.resolver';
import { createApiKeyReference } from '../keys/api-key.reference';
import { ApiKeyRepository } from '../keys/api-key.repository';
import { ApiKeyResolver } from '../keys/api-key.resolver';
import { CallerGuard } from '../keys/caller-guard.service';
import type { CreationService } from '../keys/creation.service';
import type { IdempotencyService } from '../keys/idempotency.service';
import { KeyDigester } from '../keys/key-digest';
import { ImportRepository } from '../keys/import.repository';
import { ImportService, type ImportParts } from '../keys/import.service';
import { ListingService } from '../keys/listing.service';
import { RegistryService } from '../keys/registry.service';
import { OrganizationApiKeysResolver } from '../keys/organization-api-keys.resolver';
import { UpdateService } from '../keys/update.service';
import { VerificationResolver } from '../keys/verification.resolver';
import { ViewerResolver } from '../keys/viewer.resolver';
import { KeyPolicyResolver } from '../organizations/key-policy.resolver';
import { OrganizationEntity } from '../organizations/organization.entity';
import { OrganizationResolver } from '../organizations/organization.resolver';
import type { OrganizationService } from '../organizations/organization.service';
import type { PeopleService } from '../organizations/people.service';
import type { RetentionService } from '../usage/retention.service';
import type { UsageService } from '../usage/usage.service';
import { createOrganizationsRoom } from './organizations-room';
import { createVerificationRoom, type VerificationRoom } from './verification-room';
import { createIssuingRoom, issuingListSizes, issuingResolvers } from './issuing-room';
import { createUsageRoom, usageListSizes, usageResolvers } from './usage-room';

/** The rows of every room. */
export const entities = [
  AuditEventEntity,
  OrganizationEntity,
  ApiKeyEntity,
  ApiKeyLastUseEntity,
] as const;

/** The resolvers of every room. */
export const resolvers: SchemaParts['resolvers'] = [
  ViewerResolver,
  ApiKeyResolver,
  ApiKeyMutationResolver,
  ...issuingResolvers,
  VerificationResolver,
  ...usageResolvers,
  OrganizationApiKeysResolver,
  OrganizationResolver,
  KeyPolicyResolver,
  AuditEventResolver,
  ApiKeyAuditResolver,
];

/** How long the lists of every room may be that are not asked for page by page. */
export const listSizes: ListSizes = { ...issuingListSizes, ...usageListSizes };

/** What all rooms are furnished with. */
export interface RoomParts {
  readonly database: Database;
  readonly product: Product;
  readonly peppers: readonly Pepper[];
  readonly logger: Logger;
  /** undefined: nothing is measured. */
  readonly meter?: Meter;
}

/** What the rooms offer to the floors above. */
export interface Rooms extends Omit<VerificationRoom, 'resolver'> {
  readonly audit: AuditService;
  readonly organizations: OrganizationService;
  readonly people: PeopleService;
  readonly creation: CreationService;
  readonly imports: ImportService;
  readonly registry: RegistryService;
  readonly listing: ListingService;
  readonly idempotency: IdempotencyService;
  readonly usage: UsageService;
  readonly retention: RetentionService;
  readonly schema: SchemaParts;
}

/** Builds every room, each from those before it. */
export function createRooms(parts: RoomParts): Rooms {
  const { database, product } = parts;
  const digester = new KeyDigester(parts.peppers);
  const audit = new AuditService(database, new AuditRepository(), new AuditChainRepository());
  const keys = new ApiKeyRepository();
  const guard = new CallerGuard(keys);
  const { organizations, policies, people, ...organizationsRoom } = createOrganizationsRoom({
    ...{ database, product, audit },
    admit: async (tx, principal) => guard.admit(tx, principal),
  });
  const lists = new ApiKeyListRepository();
  const listing = new ListingService(database, keys, lists);
  const updates = new UpdateService(database, keys, guard, audit);
  const loadKey = createApiKeyLoader(listing);
  const { creation, revocation, idempotency, instances } = createIssuingRoom({
    ...{ database, product, policies, audit, digester, keys, lists, guard, loadKey },
  });
  const judging = { ...parts, digester, organizations, audit, listing };
  const { resolver, ...verification } = createVerificationRoom(judging);
  const { usage, retention, ...usageRoom } = createUsageRoom(database, loadKey, parts.meter);
  return {
    ...{ audit, organizations, people, creation, idempotency, listing, usage, retention },
    imports: createImports(parts, { keys, digester, policies, audit }),
    registry: new RegistryService(database, keys, lists),
    ...verification,
    schema: {
      resolvers,
      instances: [
        new ViewerResolver(product.catalogue, loadKey),
        new ApiKeyResolver(listing, loadKey),
        new ApiKeyMutationResolver(creation, updates, revocation),
        ...[...instances, resolver, ...usageRoom.instances],
        new OrganizationApiKeysResolver(listing),
        ...organizationsRoom.resolvers,
        new AuditEventResolver(audit),
        new ApiKeyAuditResolver(audit),
      ],
      references: {
        ApiKey: createApiKeyReference(loadKey),
        Organization: organizationsRoom.reference,
      },
    },
  };
}

function createImports(
  { database, product }: RoomParts,
  others: Pick<ImportParts, 'keys' | 'digester' | 'policies' | 'audit'>,
): ImportService {
  return new ImportService({ database, product, imports: new ImportRepository(), ...others });
}
