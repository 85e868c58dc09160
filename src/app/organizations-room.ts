import type { AuditService } from '../audit/audit.service';
import type { Product } from '../config-product';
import type { Database } from '../database/database';
import { createKeyPolicyLoader } from '../organizations/key-policy.loader';
import { KeyPolicyRepository } from '../organizations/key-policy.repository';
import { KeyPolicyResolver } from '../organizations/key-policy.resolver';
import { KeyPolicyService, type KeyPolicyParts } from '../organizations/key-policy.service';
import { createOrganizationLoader } from '../organizations/organization.loader';
import { createOrganizationReference } from '../organizations/organization.reference';
import { OrganizationRepository } from '../organizations/organization.repository';
import { OrganizationResolver } from '../organizations/organization.resolver';
import { OrganizationService } from '../organizations/organization.service';
import { PeopleService } from '../organizations/people.service';
import { PersonRepository } from '../organizations/person.repository';

/** What the room is furnished with. */
export interface OrganizationsRoomParts {
  readonly database: Database;
  readonly product: Product;
  readonly audit: AuditService;
  readonly admit: KeyPolicyParts['admit'];
}

/** Builds the room of organizations, their policies and their people. */
export function createOrganizationsRoom(parts: OrganizationsRoomParts) {
  const { database, product, audit, admit } = parts;
  const organizations = new OrganizationService(
    database,
    new OrganizationRepository(),
    audit,
    product.catalogue,
  );
  const policies = new KeyPolicyService({
    ...{ database, repository: new KeyPolicyRepository(), audit, product, admit },
  });
  const people = new PeopleService({
    ...{ database, repository: new PersonRepository(database), organizations, audit, product },
  });
  const loadOrganization = createOrganizationLoader(organizations);
  return {
    organizations,
    policies,
    people,
    resolvers: [
      new OrganizationResolver(loadOrganization),
      new KeyPolicyResolver(policies, createKeyPolicyLoader(policies)),
    ],
    reference: createOrganizationReference(loadOrganization),
  };
}
