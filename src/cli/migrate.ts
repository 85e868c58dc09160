import { print, withRooms } from './with-rooms';

/** Brings the database up to date and says what that took. */
export async function migrateDatabase(): Promise<void> {
  await withRooms(async ({ foundation: { migrations } }) => {
    print(migrations.length === 0 ? 'Nothing to migrate.' : `Migrated: ${migrations.join(', ')}.`);
    return Promise.resolve();
  });
}
