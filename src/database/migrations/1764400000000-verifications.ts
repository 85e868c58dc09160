import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Records of verifications done for other services, of secrets that are no key's among them. */
export class Verifications1764400000000 implements MigrationInterface {
  readonly name = 'Verifications1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of down) await runner.query(statement);
  }
}

const up = [
  `ALTER TABLE api_key_requests ALTER api_key_id DROP NOT NULL`,
  // What is no key's is counted under the nil UUID, in every organization.
  `ALTER TABLE api_key_usage_hours
     DROP CONSTRAINT api_key_usage_hours_pkey,
     ADD PRIMARY KEY (organization_id, api_key_id, hour, outcome)`,
];

const down = [
  `DELETE FROM api_key_usage_hours WHERE api_key_id = '00000000-0000-0000-0000-000000000000'`,
  `ALTER TABLE api_key_usage_hours
     DROP CONSTRAINT api_key_usage_hours_pkey,
     ADD PRIMARY KEY (api_key_id, hour, outcome)`,
  `DELETE FROM api_key_requests WHERE api_key_id IS NULL`,
  `ALTER TABLE api_key_requests ALTER api_key_id SET NOT NULL`,
];
