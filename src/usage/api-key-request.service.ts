import type { Database } from '../database/database';
import { isUuid } from '../kernel/ids';
import { badCursor, isInstant, parsePage, type Page, type PageArguments } from '../kernel/pages';
import {
  checkRequestFilter,
  requestListName,
  type ApiKeyRequest,
  type ApiKeyRequestFilter,
  type RequestsOf,
} from './api-key-request';
import type { ApiKeyRequestRepository } from './api-key-request.repository';

/** Which part of which list. */
export interface ApiKeyRequestListArguments extends Pick<PageArguments, 'first' | 'after'> {
  readonly filter?: ApiKeyRequestFilter | null | undefined;
}

/** Shows what was recorded of requests. */
export class ApiKeyRequestService {
  constructor(
    private readonly database: Pick<Database, 'read'>,
    private readonly repository: ApiKeyRequestRepository,
  ) {}

  /**
   * One page of the requests made with a key, or with all keys of an organization, newest first.
   * @throws InputError naming the argument at fault
   */
  async list(
    of: RequestsOf,
    { first, after, filter: given }: ApiKeyRequestListArguments,
  ): Promise<Page<ApiKeyRequest>> {
    const filter = checkRequestFilter(given ?? {});
    const request = parsePage({ first, after }, requestListName(of));
    const place = request.after;
    if (place && !(isInstant(place.value) && isUuid(place.id))) throw badCursor('after');
    return this.database.read((tx) => this.repository.page(tx, of, filter, request));
  }
}
