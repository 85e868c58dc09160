import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../kernel/clock';
import type { VerificationOutcome } from '../kernel/key-request';
import type { Meter } from './meter';

/** What is known of the database's connections at any time. */
export interface PoolCounts {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** A meter, and what it has measured in the text format of Prometheus. */
export interface Prometheus {
  readonly meter: Meter;
  readonly contentType: string;
  text(): Promise<string>;
}

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

// Found at 0 by the first scrape, so that their first increase is seen as one.
const firstOutcomes = ['VALID', 'MALFORMED', 'UNKNOWN', 'EXPIRED', 'REVOKED', 'FAILED'] as const;

/** Measures for Prometheus, in a registry of its own: two servers in one process do not mix. */
export function createPrometheus(pool: PoolCounts, clock: Clock): Prometheus {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  gaugePool(registry, pool);
  return {
    meter: new PrometheusMeter(registry, clock),
    contentType: registry.contentType,
    text: async () => registry.metrics(),
  };
}

function gaugePool(registry: Registry, pool: PoolCounts): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(read());
      },
    });
  };
  const name = 'keyward_database_connections';
  gauge(name, 'Connections to PostgreSQL.', () => pool.totalCount);
  gauge(`${name}_idle`, 'Connections that nothing is using.', () => pool.idleCount);
  gauge(`${name}_waiting`, 'Callers that wait for a connection.', () => pool.waitingCount);
}

/** What is measured: the README lists the same. */
function createInstruments(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name, help, labelNames: ['outcome'], registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: Label[]
  ) => new Histogram({ name, help, buckets, labelNames, registers });
  return {
    verifications: counter('keyward_verifications_total', 'Presented secrets that were judged.'),
    verificationTime: histogram(
      'keyward_verification_duration_seconds',
      'Time to judge a presented secret, but for malformed ones.',
      seconds,
    ),
    lookUpSize: histogram('keyward_lookup_batch_size', 'Secrets that one query looked up.', sizes),
    records: counter('keyward_usage_records_total', 'Usage records that were made durable.'),
    commitSize: histogram('keyward_usage_commit_size', 'Usage records in one commit.', sizes),
    commitTime: histogram(
      'keyward_usage_commit_duration_seconds',
      'Time that a commit of usage records took.',
      seconds,
      'result',
    ),
    requestTime: histogram(
      'keyward_http_request_duration_seconds',
      'Time from the arrival of a request until its answer was sent.',
      seconds,
      'route',
      'status',
    ),
  };
}

class PrometheusMeter implements Meter {
  readonly #instruments: ReturnType<typeof createInstruments>;

  constructor(
    registry: Registry,
    private readonly clock: Clock,
  ) {
    this.#instruments = createInstruments(registry);
    for (const outcome of firstOutcomes) this.#instruments.verifications.inc({ outcome }, 0);
  }

  async verification<Verdict extends { readonly outcome: VerificationOutcome }>(
    judge: () => Promise<Verdict>,
  ): Promise<Verdict> {
    const { verifications, verificationTime } = this.#instruments;
    const sinceMs = this.clock.monotonicMs();
    let outcome: VerificationOutcome | 'FAILED' = 'FAILED';
    try {
      const verdict = await judge();
      outcome = verdict.outcome;
      return verdict;
    } finally {
      verifications.inc({ outcome });
      if (outcome !== 'MALFORMED') verificationTime.observe(this.#secondsSince(sinceMs));
    }
  }

  lookUp(secrets: number): void {
    this.#instruments.lookUpSize.observe(secrets);
  }

  async usageCommit(
    records: readonly { readonly outcome: VerificationOutcome }[],
    write: () => Promise<void>,
  ): Promise<void> {
    const { commitSize, commitTime, records: durable } = this.#instruments;
    const sinceMs = this.clock.monotonicMs();
    let result = 'failed';
    try {
      await write();
      result = 'committed';
      for (const { outcome } of records) durable.inc({ outcome });
    } finally {
      commitSize.observe(records.length);
      commitTime.observe({ result }, this.#secondsSince(sinceMs));
    }
  }

  httpRequest(route: string, status: number | undefined, milliseconds: number): void {
    const labels = { route, status: statusClass(status) };
    this.#instruments.requestTime.observe(labels, milliseconds / 1000);
  }

  #secondsSince(ms: number): number {
    return (this.clock.monotonicMs() - ms) / 1000;
  }
}

function statusClass(status: number | undefined): string {
  return status === undefined ? 'none' : `${Math.floor(status / 100)}xx`;
}
