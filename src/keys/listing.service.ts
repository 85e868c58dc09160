import type { Database } from '../database/database';
import { BatchedLookup } from '../kernel/batched-lookup';
import type { ApiKeyId, OrganizationId } from '../kernel/ids';
import type { Page, PageArguments } from '../kernel/pages';
import type { ApiKey } from './api-key';
import {
  checkFilter,
  defaultOrder,
  parseListPage,
  type ApiKeyFilter,
  type ApiKeyOrder,
} from './api-key-list';
import type { ApiKeyListRepository } from './api-key-list.repository';
import type { ApiKeyRepository } from './api-key.repository';

/** A page of keys, and how many the whole list has, counted only when asked. */
export interface ApiKeyPage extends Page<ApiKey> {
  readonly totalCount: () => Promise<number>;
}

/** Which part of which list. */
export interface ListArguments extends PageArguments {
  readonly filter?: ApiKeyFilter | null | undefined;
  readonly orderBy?: ApiKeyOrder | null | undefined;
}

/** A key's place: whose it is, and its id. */
type Place = Pick<ApiKey, 'organizationId' | 'id'>;

/** Reads keys. */
export class ListingService {
  readonly #lookup: BatchedLookup<Place, ApiKey>;

  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeyRepository,
    private readonly lists: ApiKeyListRepository,
  ) {
    this.#lookup = new BatchedLookup<Place, ApiKey>({
      one: async (place) => (await this.#findEach([place]))[0],
      many: async (places) => this.#findEach(places),
      maxInFlight: 2,
      maxBatchSize: 1000,
    });
  }

  /** One key of the organization; what concurrent requests look up shares queries. */
  async find({ organizationId, id }: Place): Promise<ApiKey | undefined> {
    return this.#lookup.load({ organizationId, id });
  }

  /** The organization's keys with these ids; those it does not have are left out. */
  async findByIds(
    organizationId: OrganizationId,
    ids: readonly ApiKeyId[],
  ): Promise<readonly ApiKey[]> {
    return this.database.read((tx) => this.keys.findByIds(tx, organizationId, ids));
  }

  /**
   * One page of the organization's keys, newest first unless told.
   * @throws InputError naming the argument at fault
   */
  async list(organizationId: OrganizationId, given: ListArguments): Promise<ApiKeyPage> {
    const order = given.orderBy ?? defaultOrder;
    const filter = checkFilter(given.filter ?? {});
    const request = parseListPage(given, organizationId, order);
    const page = await this.database.read((tx) =>
      this.lists.page(tx, organizationId, filter, order, request),
    );
    const totalCount = async (): Promise<number> =>
      this.database.read((tx) => this.lists.count(tx, organizationId, filter));
    return { ...page, totalCount };
  }

  async #findEach(places: readonly Place[]): Promise<readonly (ApiKey | undefined)[]> {
    return this.database.read((tx) => this.keys.findEach(tx, places));
  }
}
