import type { Database } from '../database/database';
import { AuthenticationError } from '../kernel/errors';
import type { Cursor } from '../kernel/pages';
import type { KnownPrincipal } from '../kernel/principal';
import type { ApiKey } from './api-key';
import type { ApiKeyListRepository } from './api-key-list.repository';
import type { ApiKeyRepository } from './api-key.repository';
import { toRegistryEntry, type RegistryEntry } from './registry';

// Some milliseconds of work: other requests wait no longer than that for an export.
const keysPerBatch = 250;

/** Reads the registry of all keys of an organization. */
export class RegistryService {
  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeyRepository,
    private readonly lists: ApiKeyListRepository,
  ) {}

  /**
   * Every key of the caller's organization, oldest first, batch by batch: memory, connections and
   * the time of each step do not grow with their number. A key that is created or changed
   * meanwhile is shown as it is when its batch is read.
   * @throws AuthenticationError, also in the middle, once the key that asks has been revoked or has
   * expired
   */
  async *batches(principal: KnownPrincipal): AsyncGenerator<readonly RegistryEntry[]> {
    let after: Cursor | undefined;
    do {
      const keys = await this.#read(principal, after);
      yield keys.map(toRegistryEntry);
      after = placeOf(keys.at(-1), keys.length);
    } while (after !== undefined);
  }

  async #read(principal: KnownPrincipal, after: Cursor | undefined): Promise<readonly ApiKey[]> {
    const { organizationId } = principal;
    return this.database.read(async (tx) => {
      if (principal.kind === 'API_KEY') {
        const own = await this.keys.find(tx, organizationId, principal.apiKeyId);
        if (own?.status !== 'ACTIVE') throw new AuthenticationError(own?.status ?? 'UNKNOWN');
      }
      const order = { field: 'CREATED_AT', direction: 'ASC' } as const;
      const request = { size: keysPerBatch, backward: false, after, before: undefined };
      const page = await this.lists.page(tx, organizationId, {}, order, request);
      return page.edges.map(({ node }) => node);
    });
  }
}

// Instants have whole milliseconds, so that a key's own finds it again.
function placeOf(last: ApiKey | undefined, read: number): Cursor | undefined {
  if (last === undefined || read < keysPerBatch) return undefined;
  return { value: last.createdAt.toISOString(), id: last.id };
}
