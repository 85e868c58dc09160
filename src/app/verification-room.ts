import type { Product } from '../config-product';
import { systemClock } from '../kernel/clock';
import type { Logger } from '../kernel/logger';
import { DelegatedVerificationService } from '../keys/delegated-verification.service';
import type { KeyDigester } from '../keys/key-digest';
import type { ListingService } from '../keys/listing.service';
import { ServiceKeyService, type ServiceKeyParts } from '../keys/service-key.service';
import { VerificationRepository } from '../keys/verification.repository';
import { VerificationResolver } from '../keys/verification.resolver';
import { VerificationService } from '../keys/verification.service';
import { VerifierAdmissionRepository } from '../keys/verifier-admission.repository';
import type { Meter } from '../signals/meter';

/** What the part of the keys' room that judges presented secrets is furnished with. */
export interface VerificationFurniture extends Pick<
  ServiceKeyParts,
  'database' | 'organizations' | 'audit'
> {
  readonly product: Product;
  readonly logger: Logger;
  readonly digester: KeyDigester;
  readonly listing: ListingService;
  readonly meter?: Meter;
}

/** What that part offers to the others. */
export interface VerificationRoom {
  readonly verification: VerificationService;
  readonly delegatedVerification: DelegatedVerificationService;
  readonly resolver: VerificationResolver;
}

/** Builds what judges presented secrets, for Keyward itself and for other services. */
export function createVerificationRoom(furniture: VerificationFurniture): VerificationRoom {
  const { database, product, digester, logger, meter, organizations, audit, listing } = furniture;
  const { catalogue, services, keys } = product;
  const verification = new VerificationService(
    new VerificationRepository(database, meter),
    digester,
    logger,
    keys.acceptImported,
    meter,
  );
  const admissions = new VerifierAdmissionRepository();
  const serviceKeys = new ServiceKeyService({
    ...{ database, admissions, organizations, audit, services },
  });
  const delegatedVerification = new DelegatedVerificationService({
    ...{ verification, serviceKeys, catalogue, clock: systemClock },
  });
  const resolver = new VerificationResolver(delegatedVerification, listing);
  return { verification, delegatedVerification, resolver };
}
