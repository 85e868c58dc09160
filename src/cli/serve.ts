import { bootKeyward } from '../app/boot';
import type { Keyward } from '../app/keyward';
import { readConfig } from '../config';
import { systemClock } from '../kernel/clock';
import { createLogger } from '../kernel/logger';
import { failWith } from './failure';

/** What letting go of the database may take beyond the time that requests are given. */
const closingMs = 1000;

/** npm hands on what the terminal has sent to all its processes: a Ctrl-C comes twice, at once. */
const echoMs = 1000;

/** Starts Keyward, says where it is, and runs until SIGTERM or SIGINT; then exits with 0. */
export async function serve(): Promise<void> {
  try {
    const config = readConfig();
    const started = bootKeyward(config, createLogger(config.logLevel)).then(announce);
    stopOnSignal(started, config.shutdownTimeoutMs + closingMs);
    await started;
  } catch (error) {
    failWith(error);
  }
}

function announce(keyward: Keyward): Keyward {
  const lines = [
    `Keyward is ready: ${keyward.graphqlUrl}`,
    `Database: ${keyward.databaseDescription}`,
  ];
  if (keyward.metricsUrl !== undefined) lines.push(`Metrics: ${keyward.metricsUrl}`);
  if (keyward.adminKey !== undefined) {
    lines.push('Admin key with full access, shown only this once:', keyward.adminKey);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
  return keyward;
}

// From the first moment on: who is asked to stop while it starts finishes that, so that no database
// is left running and a first key is never made without being shown.
function stopOnSignal(started: Promise<Keyward>, patienceMs: number): void {
  let askedAtMs: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const nowMs = systemClock.monotonicMs();
      if (askedAtMs !== undefined) {
        if (nowMs - askedAtMs > echoMs) process.exit(1); // asked again: do not wait any longer
        return;
      }
      askedAtMs = nowMs;
      setTimeout(() => process.exit(1), patienceMs).unref();
      started.then(async (keyward) => keyward.stop()).then(() => process.exit(0), failWith);
    });
  }
}
