import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People, the organizations their tokens name, and what organizations say about their keys. */
export class People1764200000000 implements MigrationInterface {
  readonly name = 'People1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(organizations);
    await runner.query(users);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE users`);
    await runner.query(`
      ALTER TABLE organizations
        DROP COLUMN external_id, DROP COLUMN claims_at, DROP COLUMN managed_by,
        DROP COLUMN required_plan, DROP COLUMN max_lifetime, DROP COLUMN expiration_required,
        DROP COLUMN default_rotation_grace, DROP COLUMN max_active_keys`);
  }
}

// `claims_at` is when the newest token that changed the row was issued: an older one changes nothing.
// The policy's columns: null means what the product says.
const organizations = `
  ALTER TABLE organizations
    ADD COLUMN external_id text UNIQUE,
    ADD COLUMN claims_at timestamptz(3) NOT NULL DEFAULT '-infinity',
    ADD COLUMN managed_by text CHECK (managed_by IN ('ADMIN', 'MEMBER')),
    ADD COLUMN required_plan text,
    ADD COLUMN max_lifetime text,
    ADD COLUMN expiration_required boolean,
    ADD COLUMN default_rotation_grace text,
    ADD COLUMN max_active_keys integer`;

const users = `
  CREATE TABLE users (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    subject text NOT NULL,
    name text,
    email text,
    role text NOT NULL CHECK (role IN ('ADMIN', 'MEMBER')),
    created_at timestamptz(3) NOT NULL,
    last_seen_at timestamptz(3) NOT NULL,
    claims_at timestamptz(3) NOT NULL,
    UNIQUE (organization_id, subject)
  )`;
