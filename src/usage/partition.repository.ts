import type { Database, Transaction } from '../database/database';

// Any number will do, as long as every Keyward process uses the same.
const partitionLock = 5_494_231_078;

/** A day's records: a partition, or a table that was one until its dropping was interrupted. */
interface DayTable {
  readonly name: string;
  readonly attached: boolean;
  /** Detaching it was begun, and not finished. */
  readonly detaching: boolean;
}

/** Makes and drops the daily partitions of the usage records. */
export class PartitionRepository {
  constructor(private readonly database: Database) {}

  /** Makes the partitions of the coming days, today included, by the database's clock. */
  async addComing(days: number): Promise<void> {
    const rows: { day: Date }[] = await this.database.read((tx) =>
      tx.query(
        `SELECT generate_series(statement_timestamp(),
           statement_timestamp() + make_interval(days => $1), interval '1 day') AS day`,
        [days],
      ),
    );
    await this.add(rows.map(({ day }) => day));
  }

  /** Makes the partitions of these instants' days (UTC), where they are missing. */
  async add(instants: readonly Date[]): Promise<void> {
    const days = new Set(instants.map((instant) => instant.toISOString().slice(0, 10)));
    await this.database.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock($1)`, [partitionLock]);
      for (const day of days) {
        const name = tableOf(day);
        const found: unknown[] = await tx.query(`SELECT WHERE to_regclass($1) IS NOT NULL`, [name]);
        if (found.length > 0) continue;
        // Attaching a table lets writers go on meanwhile; creating it as a partition would not.
        await tx.query(`CREATE TABLE ${name} (LIKE api_key_requests INCLUDING ALL)`);
        await tx.query(
          `ALTER TABLE api_key_requests ATTACH PARTITION ${name}
           FOR VALUES FROM ('${day}T00:00Z') TO ('${dayAfter(day)}T00:00Z')`,
        );
      }
    });
  }

  /**
   * Drops one day's records, the oldest of those whose whole day lies `days` or more in the past by
   * the database's clock. Writers and readers go on meanwhile. What an earlier attempt left half done
   * is finished; tables that no `add` made are left alone.
   * @returns whether there may be more to drop; not while another process adds or drops
   */
  async dropOldest(days: number): Promise<boolean> {
    return this.database.session(async (session) => {
      // What waits for this lock, such as a start, waits longer than this statement may take.
      await session.query(`SET statement_timeout = '2s'`);
      const [lock]: { taken: boolean }[] = await session.query(
        `SELECT pg_try_advisory_lock($1) AS taken`,
        [partitionLock],
      );
      if (lock?.taken !== true) return false;
      const table = await oldest(session, days);
      if (table === undefined) return false;
      if (table.attached) {
        // In no transaction, and locking no writer or reader out: see ADR 14.
        const how = table.detaching ? 'FINALIZE' : 'CONCURRENTLY';
        await session.query(`ALTER TABLE api_key_requests DETACH PARTITION ${table.name} ${how}`);
      }
      await session.query(`DROP TABLE ${table.name}`);
      // Closing the connection would do, but only a moment later, when the next day's turn has come.
      await session.query(`SELECT pg_advisory_unlock($1)`, [partitionLock]);
      return true;
    });
  }
}

// Only one partition can be detached at a time, so one that was begun comes first.
async function oldest(session: Transaction, days: number): Promise<DayTable | undefined> {
  const tables: (DayTable & { last: string })[] = await session.query(
    `SELECT day.relname AS name, inhparent IS NOT NULL AS attached,
       coalesce(inhdetachpending, false) AS detaching,
       to_char(now() AT TIME ZONE 'UTC' - make_interval(days => $1 + 1), 'YYYY-MM-DD') AS last
     FROM pg_class parent
       JOIN pg_class day ON day.relnamespace = parent.relnamespace AND day.relkind = 'r'
       LEFT JOIN pg_inherits ON inhrelid = day.oid AND inhparent = parent.oid
     WHERE parent.oid = 'api_key_requests'::regclass
       AND day.relname ~ '^api_key_requests_[0-9]{8}$'
       AND (inhparent IS NOT NULL OR NOT day.relispartition)
     ORDER BY detaching DESC, name`,
    [days],
  );
  return tables.find(({ name, last }) => {
    const day = name.replace(/^.*_(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
    return day <= last && isDay(day);
  });
}

function tableOf(day: string): string {
  return `api_key_requests_${day.replaceAll('-', '')}`;
}

function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function dayAfter(day: string): string {
  const next = new Date(`${day}T00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}
