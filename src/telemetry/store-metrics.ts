import type { Registry } from 'prom-client';
import type { PoolStats, StoreStats } from '../actors/runtime/store-stats.ts';
import { counterFamily, type MetricFamily, register, type Sample } from './metric-family.ts';

/** A scrape waits so long for what the store tells; older numbers are shown after that. */
const statsLimitMs = 1_000;

/** Lag, connections and slow statements of the store and of the ledger beside it. */
export class StoreMetrics {
  readonly #readStats: () => Promise<StoreStats | undefined>;
  readonly #readLedgerPools: () => readonly PoolStats[];
  #stats: StoreStats | undefined;
  #slowStatements = 0;

  constructor(
    registry: Registry,
    readStats: () => Promise<StoreStats | undefined>,
    readLedgerPools: () => readonly PoolStats[],
  ) {
    this.#readStats = readStats;
    this.#readLedgerPools = readLedgerPools;
    for (const family of this.#families()) register(registry, family);
  }

  /** Asks the store, which is on another thread; to be called before a scrape. Never rejects. */
  async refresh(): Promise<void> {
    const limit = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => limit.resolve(undefined), statsLimitMs);
    const stats = await Promise.race([this.#readStats().catch(() => undefined), limit.promise]);
    clearTimeout(timer);
    if (stats !== undefined) this.#stats = stats;
  }

  onSlowStatement(): void {
    this.#slowStatements += 1;
  }

  #families(): readonly MetricFamily[] {
    return [
      this.#fromStats(
        'usher_projection_lag_events',
        'Committed events that the projections do not show yet',
        'gauge',
        ({ projectionLagEvents }) => [{ labels: {}, value: projectionLagEvents }],
      ),
      counterFamily(
        'usher_slow_statements_total',
        'SQL statements slower than SLOW_QUERY_MS; the log tells which',
        () => this.#slowStatements,
      ),
      this.#ofPools('usher_pool_connections_max', 'Connections of a pool at most', 'gauge', 'connectionsMax'),
      this.#ofPools('usher_pool_connections_in_use', 'Connections of a pool in use', 'gauge', 'inUse'),
      this.#ofPools('usher_pool_waiting', 'Callers that wait for a connection', 'gauge', 'waiting'),
      this.#ofPools('usher_pool_timeouts_total', 'Waits that were given up', 'counter', 'timeouts'),
      this.#ofPools('usher_pool_gets_total', 'Connections that were asked for', 'counter', 'gets'),
      this.#ofPools(
        'usher_pool_get_seconds_total',
        'Time that callers took to get a connection',
        'counter',
        'getSeconds',
      ),
    ];
  }

  #fromStats(
    name: string,
    help: string,
    type: MetricFamily['type'],
    samples: (stats: StoreStats) => readonly Sample[],
  ): MetricFamily {
    return { name, help, type, samples: () => (this.#stats === undefined ? [] : samples(this.#stats)) };
  }

  #ofPools(
    name: string,
    help: string,
    type: MetricFamily['type'],
    field: Exclude<keyof PoolStats, 'pool'>,
  ): MetricFamily {
    return {
      name,
      help,
      type,
      samples: () =>
        [...(this.#stats?.pools ?? []), ...this.#readLedgerPools()].map((stats) => ({
          labels: { pool: stats.pool },
          value: stats[field],
        })),
    };
  }
}
