import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Organizations, keys and their last use, idempotent requests, audit events, usage. */
export class MainJob1764000000000 implements MigrationInterface {
  readonly name = 'MainJob1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...organizations, ...keys, ...audit, ...usage]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION api_key_status;
      DROP TABLE api_key_usage_hours, api_key_requests, audit_chains, audit_events, idempotent_requests,
                 api_key_last_uses, api_keys, organizations`);
    await runner.query(`DROP FUNCTION refuse_audit_change`);
  }
}

// Instants have milliseconds, as JavaScript's do, so that a cursor made from one finds its row again.
const organizations = [
  `CREATE TABLE organizations (
     id uuid PRIMARY KEY,
     slug text NOT NULL UNIQUE,
     name text NOT NULL,
     plan text NOT NULL,
     created_at timestamptz(3) NOT NULL
   )`,
];

const keys = [
  `CREATE TABLE api_keys (
     id uuid PRIMARY KEY,
     organization_id uuid NOT NULL REFERENCES organizations,
     name text NOT NULL,
     description text,
     environment text NOT NULL CHECK (environment IN ('LIVE', 'TEST')),
     prefix text NOT NULL,
     redacted text NOT NULL,
     scopes text[] NOT NULL,
     digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
     pepper_id text NOT NULL,
     created_at timestamptz(3) NOT NULL,
     created_by_kind text NOT NULL,
     created_by_id text,
     created_by_name text NOT NULL,
     expires_at timestamptz(3),
     owner text,
     application text,
     usage_location text,
     tags text[] NOT NULL,
     metadata json NOT NULL,
     revoked_at timestamptz(3),
     revoked_by_kind text,
     revoked_by_id text,
     revoked_by_name text,
     revocation_reason text,
     revocation_note text,
     CHECK ((revoked_at IS NULL) = (revocation_reason IS NULL)),
     CHECK ((revoked_at IS NULL) = (revoked_by_kind IS NULL)),
     CHECK ((revoked_at IS NULL) = (revoked_by_name IS NULL))
   )`,
  // What a key is worth, by the database's clock: the one definition that every statement uses.
  `CREATE FUNCTION api_key_status(key api_keys) RETURNS text STABLE PARALLEL SAFE LANGUAGE sql AS $$
     SELECT CASE
       WHEN key.revoked_at IS NOT NULL THEN 'REVOKED'
       WHEN key.expires_at <= statement_timestamp() THEN 'EXPIRED'
       ELSE 'ACTIVE'
     END
   $$`,
  // One index for each order of the list; nulls sort as the instant that never comes.
  `CREATE INDEX api_keys_by_creation ON api_keys (organization_id, created_at, id)`,
  `CREATE INDEX api_keys_by_name ON api_keys (organization_id, (lower(name) COLLATE "C"), id)`,
  `CREATE INDEX api_keys_by_expiry
     ON api_keys (organization_id, (coalesce(expires_at, 'infinity'::timestamptz)), id)`,
  // And for what few of many keys have, so that finding them does not read the others.
  `CREATE INDEX api_keys_not_revoked ON api_keys (organization_id, created_at, id)
     WHERE revoked_at IS NULL`,
  `CREATE INDEX api_keys_by_owner ON api_keys (organization_id, owner, created_at, id)
     WHERE owner IS NOT NULL`,
  `CREATE INDEX api_keys_by_application ON api_keys (organization_id, application, created_at, id)
     WHERE application IS NOT NULL`,
  `CREATE INDEX api_keys_by_creator ON api_keys (organization_id, created_by_id, created_at, id)`,
  `CREATE TABLE api_key_last_uses (
     api_key_id uuid PRIMARY KEY REFERENCES api_keys,
     organization_id uuid NOT NULL,
     last_used_at timestamptz(3) NOT NULL DEFAULT '-infinity'
   )`,
  `CREATE INDEX api_key_last_uses_by_time
     ON api_key_last_uses (organization_id, last_used_at, api_key_id)`,
  `CREATE TABLE idempotent_requests (
     organization_id uuid NOT NULL REFERENCES organizations,
     idempotency_key text NOT NULL,
     fingerprint bytea NOT NULL,
     api_key_id uuid NOT NULL,
     created_at timestamptz(3) NOT NULL,
     PRIMARY KEY (organization_id, idempotency_key)
   )`,
];

const audit = [
  `CREATE TABLE audit_events (
     id uuid PRIMARY KEY,
     organization_id uuid NOT NULL REFERENCES organizations,
     at timestamptz(3) NOT NULL,
     actor_kind text NOT NULL,
     actor_id text,
     actor_name text NOT NULL,
     action text NOT NULL,
     target_type text NOT NULL,
     target_id text NOT NULL,
     target_name text,
     changes json NOT NULL,
     request_id text NOT NULL,
     ip text,
     sequence bigint NOT NULL,
     hash bytea NOT NULL CHECK (length(hash) = 32),
     UNIQUE (organization_id, sequence)
   )`,
  `CREATE INDEX audit_events_by_target ON audit_events (organization_id, target_id, sequence)`,
  `CREATE TABLE audit_chains (
     organization_id uuid PRIMARY KEY REFERENCES organizations,
     sequence bigint NOT NULL,
     hash bytea NOT NULL CHECK (length(hash) = 32)
   )`,
  `CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION 'audit events are only ever added' USING ERRCODE = 'insufficient_privilege';
   END $$`,
  `CREATE TRIGGER audit_events_are_kept
     BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
     FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`,
];

const usage = [
  `CREATE TABLE api_key_requests (
     id uuid NOT NULL,
     at timestamptz(3) NOT NULL,
     organization_id uuid NOT NULL,
     api_key_id uuid NOT NULL,
     request_id text NOT NULL,
     service text NOT NULL,
     operation text,
     outcome text NOT NULL,
     ip text,
     user_agent text,
     duration_ms integer,
     PRIMARY KEY (at, id)
   ) PARTITION BY RANGE (at)`,
  `CREATE TABLE api_key_usage_hours (
     api_key_id uuid NOT NULL,
     hour timestamptz(0) NOT NULL,
     outcome text NOT NULL,
     organization_id uuid NOT NULL,
     requests bigint NOT NULL,
     PRIMARY KEY (api_key_id, hour, outcome)
   )`,
];
