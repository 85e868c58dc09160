import { createHmac } from 'node:crypto';
import { entities } from '../src/app/rooms';
import { readConfig } from '../src/config';
import type { Database } from '../src/database/database';
import { openDatabase } from '../src/database/open-database';
import { createLogger } from '../src/kernel/logger';
import { KeyDigester } from '../src/keys/key-digest';
import { VerificationRepository } from '../src/keys/verification.repository';
import { VerificationService } from '../src/keys/verification.service';
import { benchPepper, scattered, type KeyDatabase } from './databases';
import { closedLoop, type Variant } from './rounds';

/** Throws when the secret is not found to be a valid key. */
type Verify = (secret: string) => Promise<void>;

/** Three ways to verify keys of one database, on one pool of connections. */
export interface Contenders {
  /** Keyward's own service, everything included. */
  readonly keyward: Verify;
  /** The least that must be done: a digest, and `= ANY` over all that wait, two in flight. */
  readonly rawBatched: Verify;
  /** A digest and one prepared SELECT for each verification. */
  readonly rawSingle: Verify;
  close(): Promise<void>;
}

/** Opens a database as Keyward does, with all contenders on it. */
export async function openContenders({ url }: KeyDatabase): Promise<Contenders> {
  const logger = createLogger('error');
  const database = await openDatabase({
    url,
    settings: readConfig({}).database,
    entities,
    logger,
  });
  const repository = new VerificationRepository(database);
  const service = new VerificationService(repository, new KeyDigester([benchPepper]), logger);
  return {
    async keyward(secret) {
      const { outcome } = await service.verify(secret);
      if (outcome !== 'VALID') throw new Error(outcome);
    },
    rawBatched: rawBatched(database),
    rawSingle: rawSingle(database),
    close: async () => database.close(),
  };
}

/** Verifies the database's known keys in an irregular order. */
export function verifying(
  name: string,
  verify: Verify,
  { secrets }: KeyDatabase,
  concurrency: number,
): Variant {
  const order = secrets.map((_, index) => secrets[scattered(index, secrets.length)] ?? '');
  const work = async (index: number) => verify(order[index % order.length] ?? '');
  return { name, measure: async (milliseconds) => closedLoop(concurrency, milliseconds, work) };
}

interface Row {
  readonly digest: Buffer;
  readonly status: string;
}

// The columns that Keyward reads, for it needs them all.
const select = `SELECT digest, id, organization_id AS "organizationId", name, environment, scopes,
  expires_at AS "expiresAt", least(expires_at, retires_at) AS "endsAt", pepper_id AS "pepperId",
  api_key_status(api_keys) AS status, successor_id AS "successorId",
  date_trunc('milliseconds', statement_timestamp()) AS "checkedAt" FROM api_keys`;

function digestOf(secret: string): Buffer {
  return createHmac('sha256', benchPepper.secret).update(secret).digest();
}

function rawSingle({ pool }: Database): Verify {
  const statement = { name: 'bench_single', text: `${select} WHERE digest = $1` };
  return async (secret) => {
    const { rows } = await pool.query<Row>({ ...statement, values: [digestOf(secret)] });
    if (rows[0]?.status !== 'ACTIVE') throw new Error('not valid');
  };
}

interface Waiting {
  readonly digest: Buffer;
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
}

function rawBatched({ pool }: Database): Verify {
  const statement = { name: 'bench_batched', text: `${select} WHERE digest = ANY($1)` };
  let waiting: Waiting[] = [];
  let inFlight = 0;
  let scheduled = false;
  const flush = async (): Promise<void> => {
    scheduled = false;
    if (waiting.length === 0 || inFlight === 2) return;
    const batch = waiting;
    waiting = [];
    inFlight += 1;
    try {
      const values = [batch.map(({ digest }) => digest)];
      const { rows } = await pool.query<Row>({ ...statement, values });
      const found = new Map(rows.map((row) => [row.digest.toString('latin1'), row]));
      for (const { digest, resolve } of batch) resolve(found.get(digest.toString('latin1')));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      inFlight -= 1;
      schedule();
    }
  };
  const schedule = (): void => {
    if (scheduled || inFlight === 2) return;
    scheduled = true;
    setImmediate(() => void flush());
  };
  return async (secret) => {
    const row = await new Promise<Row | undefined>((resolve, reject) => {
      waiting.push({ digest: digestOf(secret), resolve, reject });
      schedule();
    });
    if (row?.status !== 'ACTIVE') throw new Error('not valid');
  };
}
