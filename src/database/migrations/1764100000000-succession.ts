import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys that take the place of others, and keys that retire by themselves. */
export class Succession1764100000000 implements MigrationInterface {
  readonly name = 'Succession1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of down) await runner.query(statement);
  }
}

const up = [
  // Both ways, so that whoever reads a key reads them with it: the successor's row names its
  // predecessor, and the unique index lets a key have one successor for ever.
  `ALTER TABLE api_keys
     ADD predecessor_id uuid REFERENCES api_keys,
     ADD successor_id uuid REFERENCES api_keys,
     ADD succeeded_at timestamptz(3),
     ADD retires_at timestamptz(3),
     ADD retired_by_kind text,
     ADD retired_by_id text,
     ADD retired_by_name text,
     ADD CHECK ((successor_id IS NULL) = (succeeded_at IS NULL)),
     ADD CHECK (retires_at IS NULL OR successor_id IS NOT NULL),
     ADD CHECK ((retires_at IS NULL) = (retired_by_kind IS NULL)),
     ADD CHECK ((retires_at IS NULL) = (retired_by_name IS NULL))`,
  `CREATE UNIQUE INDEX api_keys_by_predecessor ON api_keys (predecessor_id)
     WHERE predecessor_id IS NOT NULL`,
  // A key in rotation stops at the instant its grace ends, with nobody doing anything.
  `CREATE OR REPLACE FUNCTION api_key_status(key api_keys)
     RETURNS text STABLE PARALLEL SAFE LANGUAGE sql AS $$
     SELECT CASE
       WHEN key.revoked_at IS NOT NULL OR key.retires_at <= statement_timestamp() THEN 'REVOKED'
       WHEN key.expires_at <= statement_timestamp() THEN 'EXPIRED'
       ELSE 'ACTIVE'
     END
   $$`,
  `CREATE INDEX api_key_requests_by_key ON api_key_requests (api_key_id, at)`,
];

const down = [
  `DROP INDEX api_key_requests_by_key`,
  `CREATE OR REPLACE FUNCTION api_key_status(key api_keys)
     RETURNS text STABLE PARALLEL SAFE LANGUAGE sql AS $$
     SELECT CASE
       WHEN key.revoked_at IS NOT NULL THEN 'REVOKED'
       WHEN key.expires_at <= statement_timestamp() THEN 'EXPIRED'
       ELSE 'ACTIVE'
     END
   $$`,
  `ALTER TABLE api_keys
     DROP predecessor_id, DROP successor_id, DROP succeeded_at, DROP retires_at,
     DROP retired_by_kind, DROP retired_by_id, DROP retired_by_name`,
];
