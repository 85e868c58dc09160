import type { QueryResultRow } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { Logger } from '../kernel/logger';
import { isSilence, judgeFailure, toCallerError } from './failures';
import type { GuardedPool } from './guarded-pool';

/** An open transaction; whoever changes something together with something else gets it handed. */
export type Transaction = EntityManager;

/** A statement that PostgreSQL prepares once per connection, for the hot path. */
export interface NamedStatement {
  readonly name: string;
  readonly text: string;
}

/**
 * The one way to the database. Failures that pass by themselves (lost connections, timeouts, a
 * server turned read-only) come out as UnavailableError; a connection whose statement was given up
 * is cut, never handed out again.
 */
export class Database {
  constructor(
    readonly dataSource: DataSource,
    readonly pool: GuardedPool,
    private readonly logger: Logger,
  ) {}

  /**
   * Runs `work` in one transaction: all of it happens, or nothing. Not retried, for whether a lost
   * COMMIT took place is not known.
   * @throws UnavailableError when the database cannot be reached or gave up
   */
  async transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.#withRunner(async (runner) => {
      await runner.startTransaction();
      const result = await work(runner.manager);
      await runner.commitTransaction();
      return result;
    });
  }

  /**
   * Runs reading `work` on one connection; tried once more when its connection was lost.
   * @throws UnavailableError when the database cannot be reached or gave up
   */
  async read<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.#twice(() => this.#withRunner((runner) => work(runner.manager)));
  }

  /**
   * Runs work that cannot stand in a transaction, or needs settings or locks of its own, on a
   * connection that is closed afterwards, and they with it.
   * @throws UnavailableError when the database cannot be reached or gave up
   */
  async session<Result>(work: (session: Transaction) => Promise<Result>): Promise<Result> {
    return this.#withRunner(async (runner) => {
      const client: unknown = await runner.connect();
      try {
        return await work(runner.manager);
      } finally {
        this.pool.cut(client);
      }
    });
  }

  /**
   * Runs an idempotent named statement on the driver's pool, past TypeORM; tried once more when its
   * connection was lost.
   * @throws UnavailableError when the database cannot be reached or gave up
   */
  async run<Row extends QueryResultRow>(
    statement: NamedStatement,
    values: readonly unknown[],
  ): Promise<readonly Row[]> {
    return this.#twice(async () => {
      const result = await this.pool.query<Row>({ ...statement, values: [...values] });
      return result.rows;
    });
  }

  /**
   * Whether the database can be written to just now. When it cannot, no idle connection is kept: those
   * that were opened while a server was read-only stay so.
   * @throws UnavailableError when it cannot be reached
   */
  async isWritable(): Promise<boolean> {
    const [row] = await this.run<{ writable: boolean }>(askWritable, []);
    const writable = row?.writable === true;
    if (!writable) this.pool.cutIdle();
    return writable;
  }

  /** Closes all connections, waiting for those in use. */
  async close(): Promise<void> {
    await this.dataSource.destroy();
  }

  async #twice<Result>(attempt: () => Promise<Result>): Promise<Result> {
    try {
      return await attempt();
    } catch (error) {
      this.#heed(error);
      if (!shouldTryAgain(error)) throw toCallerError(error);
    }
    try {
      return await attempt();
    } catch (error) {
      this.#heed(error);
      throw toCallerError(error);
    }
  }

  async #withRunner<Result>(work: (runner: QueryRunner) => Promise<Result>): Promise<Result> {
    const runner = this.dataSource.createQueryRunner();
    let client: unknown;
    try {
      client = await runner.connect();
      return await work(runner);
    } catch (error) {
      if (judgeFailure(error) === 'lost') this.pool.cut(client);
      else if (runner.isTransactionActive) await this.#rollBack(runner, client);
      this.#heed(error);
      throw toCallerError(error);
    } finally {
      await runner.release();
    }
  }

  async #rollBack(runner: QueryRunner, client: unknown): Promise<void> {
    try {
      await runner.rollbackTransaction();
    } catch {
      this.pool.cut(client); // PostgreSQL rolls back when the connection is gone
    }
  }

  #heed(error: unknown): void {
    const failure = judgeFailure(error);
    // After a failover the old primary answers as a read-only standby: no connection to it is of use.
    if (failure === 'read-only') this.pool.cutAll();
    // What goes to a server that has gone silent would wait as long; new connections may find it.
    if (isSilence(error)) this.pool.cutIdle();
    if (failure !== 'other') this.logger.warn({ err: error, failure }, 'the database failed');
  }
}

const askWritable = {
  name: 'keyward_is_writable',
  text: `SELECT current_setting('transaction_read_only') = 'off' AS writable`,
};

// A statement that ran into its time limit would do so again; the caller has waited long enough.
function shouldTryAgain(error: unknown): boolean {
  const timedOut = error instanceof Error && /timeout/i.test(error.message);
  return judgeFailure(error) !== 'other' && !timedOut;
}

/** The present instant by the database's clock, in whole milliseconds: the one clock of all replicas. */
export async function databaseNow(tx: Transaction): Promise<Date> {
  const rows: { now: Date }[] = await tx.query(
    `SELECT date_trunc('milliseconds', clock_timestamp()) AS now`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the database told no time');
  return row.now;
}
