import type { Product } from '../config-product';
import type { Database } from '../database/database';
import { newUuid } from '../kernel/ids';
import type { Rooms } from './rooms';

/**
 * Creates the organization `default` and its admin key, in one transaction, if the organization is
 * not there yet. Of several processes that start at once, one does.
 * @returns the secret, or undefined when there was nothing to do
 */
export async function createAdminKey(
  database: Database,
  { organizations, creation }: Pick<Rooms, 'organizations' | 'creation'>,
  { catalogue, keys }: Product,
): Promise<string | undefined> {
  const requestId = newUuid();
  return database.transaction(async (tx) => {
    const { organization, created } = await organizations.ensure(
      tx,
      { name: 'default' },
      requestId,
    );
    if (!created) return undefined;
    const caller = organizations.systemCaller(organization.id, requestId);
    const { secret } = await creation.createIn(tx, caller, {
      name: 'Admin key of the first start',
      environment: keys.environments[0],
      scopes: catalogue.fullAccess === undefined ? catalogue.names : [catalogue.fullAccess],
      expiresIn: keys.expirationRequired ? (keys.maxLifetime ?? 'P365D') : keys.maxLifetime,
    });
    return secret ?? undefined;
  });
}
