import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keeps audit events also from sessions in which a superuser has switched triggers off. */
export class AuditKept1764600000000 implements MigrationInterface {
  readonly name = 'AuditKept1764600000000';

  async up(runner: QueryRunner): Promise<void> {
    // The embedded database's own user is a superuser: session_replication_role is theirs to set.
    await runner.query(`ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_are_kept`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE audit_events ENABLE TRIGGER audit_events_are_kept`);
  }
}
