import type { AuditService } from '../audit/audit.service';
import { databaseNow, type Database } from '../database/database';
import { UnavailableError } from '../kernel/errors';
import type { OrganizationId } from '../kernel/ids';
import type { ApiKeyPrincipal, Caller, KnownPrincipal } from '../kernel/principal';
import type { OrganizationService } from '../organizations/organization.service';
import type { VerifierAdmissionRepository } from './verifier-admission.repository';

/** What knowing service keys needs of others. */
export interface ServiceKeyParts {
  readonly database: Database;
  readonly admissions: VerifierAdmissionRepository;
  readonly organizations: OrganizationService;
  readonly audit: AuditService;
  /** The slugs of the organizations whose keys verify the keys of every organization. */
  readonly services: readonly string[];
}

const maxRemembered = 100_000;

/**
 * Knows the product's service keys: API keys of the organizations that its configuration names
 * under `services`. They verify the keys of every organization, and each organization reads in its
 * audit trail which of them do. What is remembered here can never change: an organization keeps its
 * id and slug for ever, and so does an admission that was recorded.
 */
export class ServiceKeyService {
  readonly #slugs = new Map<OrganizationId, string | undefined>();
  readonly #admitted = new Set<string>();

  constructor(private readonly parts: ServiceKeyParts) {}

  /**
   * The slug of the service that a caller is a key of; undefined for all other callers, people of
   * that organization among them.
   * @throws UnavailableError when the database cannot be asked
   */
  async serviceOf({ kind, organizationId }: KnownPrincipal): Promise<string | undefined> {
    const { services, organizations } = this.parts;
    if (kind !== 'API_KEY' || services.length === 0) return undefined;
    if (this.#slugs.has(organizationId)) return this.#slugs.get(organizationId);
    const [organization] = await organizations.findByIds([organizationId]);
    const slug = services.find((each) => each === organization?.slug);
    if (this.#slugs.size >= maxRemembered) this.#slugs.clear();
    this.#slugs.set(organizationId, slug);
    return slug;
  }

  /**
   * Makes sure that organizations can read in their audit trail that a service key verifies their
   * keys: the first time it does, once for each of them and the key, on whichever replica.
   * @param service the slug of the service that the caller is a key of
   * @throws UnavailableError when that cannot be written: their keys must not be told of then
   */
  async admit(
    caller: Caller,
    service: string,
    organizationIds: ReadonlySet<OrganizationId>,
  ): Promise<void> {
    const { principal } = caller;
    if (principal.kind !== 'API_KEY') throw new Error('only keys are service keys');
    const unknown = [...organizationIds].filter(
      (id) => id !== principal.organizationId && !this.#admitted.has(admission(principal, id)),
    );
    if (unknown.length === 0) return;
    try {
      await this.#record({ ...caller, principal }, service, unknown);
    } catch (error) {
      throw error instanceof UnavailableError ? error : new UnavailableError(error);
    }
    if (this.#admitted.size >= maxRemembered) this.#admitted.clear();
    for (const id of unknown) this.#admitted.add(admission(principal, id));
  }

  async #record(
    caller: Caller<ApiKeyPrincipal>,
    service: string,
    organizationIds: readonly OrganizationId[],
  ): Promise<void> {
    const { database, admissions, organizations, audit } = this.parts;
    const { principal } = caller;
    const found = await organizations.findByIds(organizationIds);
    const names = new Map(found.map(({ id, name }) => [id, name]));
    await database.transaction(async (tx) => {
      const now = await databaseNow(tx);
      const added = await admissions.add(tx, principal.apiKeyId, organizationIds, now);
      for (const organizationId of added) {
        await audit.record(tx, { ...caller, principal: { ...principal, organizationId } }, now, {
          action: 'organization.verifier_admitted',
          targetType: 'Organization',
          targetId: organizationId,
          targetName: names.get(organizationId) ?? organizationId,
          changes: { service: { from: null, to: service } },
        });
      }
    });
  }
}

function admission({ apiKeyId }: ApiKeyPrincipal, organizationId: OrganizationId): string {
  return `${apiKeyId} ${organizationId}`;
}
