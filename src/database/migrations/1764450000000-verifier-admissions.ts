import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which service key has verified keys of which organization, so that each is told so once. */
export class VerifierAdmissions1764450000000 implements MigrationInterface {
  readonly name = 'VerifierAdmissions1764450000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE verifier_admissions (
        organization_id uuid NOT NULL REFERENCES organizations,
        verifier_key_id uuid NOT NULL REFERENCES api_keys,
        at timestamptz(3) NOT NULL,
        PRIMARY KEY (organization_id, verifier_key_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE verifier_admissions`);
  }
}
