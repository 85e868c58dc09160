import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which keys were imported, so that nothing is imported twice. */
export class Imports1764300000000 implements MigrationInterface {
  readonly name = 'Imports1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    // The digest with which a key was imported; that in api_keys changes with the key's first use.
    await runner.query(`
      CREATE TABLE api_key_imports (
        api_key_id uuid PRIMARY KEY REFERENCES api_keys,
        digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE api_key_imports`);
  }
}
