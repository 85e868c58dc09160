import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { hasEnded } from './embedded-process';

/** A process's word that it uses the database. It ends by itself when the process does. */
export interface Hold {
  /**
   * Takes the word back; when nobody else holds on, `last` is run, and nobody can come meanwhile.
   * Does nothing when there is no server any more.
   */
  letGo(last: () => Promise<void>): Promise<void>;
}

/** Spells "keyward"; in the database `postgres`, so it never meets a lock of the application. */
const lockId = 0x6b_65_79_77_61_72_64n.toString();
const retryMs = 500;
const pollMs = 5;
/** PostgreSQL notices at once that a client has ended, unless the machine is very busy. */
const noticeTimeoutMs = 10_000;

/** What this process's hold is called in pg_stat_activity: others can tell whether it still runs. */
export const holdName = `keyward hold of process ${process.pid}`;

/** Waits while the last one to let go is stopping the server; then that ends the connection. */
export async function takeHold(client: Client): Promise<void> {
  await client.query('SELECT pg_advisory_lock_shared($1)', [lockId]);
}

/**
 * Keeps a hold for as long as this process lives, on a connection of its own that has it already.
 * When that breaks (PostgreSQL drops all connections when one backend crashes), `reopen` is asked
 * for another, again and again; a connection that breaks never becomes an exception.
 */
export function keepHold(first: Client, reopen: () => Promise<Client>): Hold {
  let current: Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let reopening: Promise<void> | undefined;
  let over = false;

  const use = (client: Client): void => {
    current = client;
    client.once('end', () => {
      current = undefined;
      if (!over) retryLater();
    });
  };
  const retryLater = (): void => {
    timer = setTimeout(() => {
      reopening = reopen().then(use, () => {
        if (!over) retryLater();
      });
    }, retryMs).unref();
  };

  use(first);
  return {
    letGo: async (last) => {
      over = true;
      clearTimeout(timer);
      await reopening;
      const client = current ?? (await reopen().catch(() => undefined));
      if (client === undefined) return;
      try {
        if (await isLast(client)) await last();
      } finally {
        await client.end().catch(() => undefined);
      }
    },
  };
}

async function isLast(client: Client): Promise<boolean> {
  try {
    await client.query('SELECT pg_advisory_unlock_shared($1)', [lockId]);
    const giveUpAt = performance.now() + noticeTimeoutMs;
    while (!(await lockAlone(client))) {
      if ((await isHeldByLiving(client)) || performance.now() > giveUpAt) return false;
      await sleep(pollMs);
    }
    return true;
  } catch {
    // The server went away in this moment: there is nothing left to stop.
    return false;
  }
}

async function lockAlone(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ alone: boolean }>(
    'SELECT pg_try_advisory_lock($1) AS alone',
    [lockId],
  );
  return rows[0]?.alone === true;
}

/** A killed process holds on until PostgreSQL has noticed its end; nobody else would stop the server. */
async function isHeldByLiving(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ holder: string }>(
    `SELECT activity.application_name AS holder
     FROM pg_locks lock JOIN pg_stat_activity activity USING (pid)
     WHERE lock.locktype = 'advisory' AND lock.granted
       AND (lock.classid::bigint << 32) + lock.objid::bigint = $1`,
    [lockId],
  );
  const ended = await Promise.all(rows.map(async ({ holder }) => hasEnded(processOf(holder))));
  return ended.includes(false);
}

function processOf(holder: string): number {
  return Number(/\d+$/.exec(holder)?.[0]);
}
