import { collectDefaultMetrics, Registry } from 'prom-client';
import type { PoolStats, StoreStats } from '../actors/runtime/store-stats.ts';
import { CacheMetrics } from './cache-metrics.ts';
import { ClusterMetrics } from './cluster-metrics.ts';
import { HttpMetrics, type RouteLabel } from './http-metrics.ts';
import { PaymentMetrics } from './payment-metrics.ts';
import { type PublisherStats, registerPublisherMetrics } from './publisher-metrics.ts';
import { type FaultLog, RuntimeMetrics, type RuntimeStats } from './runtime-metrics.ts';
import { StoreMetrics } from './store-metrics.ts';

/** Everything that /metrics shows of this process. */
export class Metrics {
  readonly http: HttpMetrics;
  readonly runtime: RuntimeMetrics;
  readonly payments: PaymentMetrics;
  readonly store: StoreMetrics;
  readonly caches: CacheMetrics;
  readonly #registry = new Registry();

  constructor(options: MetricsOptions) {
    this.http = new HttpMetrics(this.#registry, options.routes);
    this.payments = new PaymentMetrics(this.#registry, (fault, error) => this.runtime.onFault(fault, error));
    this.runtime = new RuntimeMetrics(this.#registry, options.log, this.payments, options.stats);
    this.store = new StoreMetrics(this.#registry, options.storeStats, options.ledgerPools);
    this.caches = new CacheMetrics(this.#registry);
    if (options.isProcessWide) collectDefaultMetrics({ register: this.#registry });
  }

  /** Of a node of a cluster. */
  watchCluster(options: Omit<ConstructorParameters<typeof ClusterMetrics>[1], 'onFault'>): ClusterMetrics {
    return new ClusterMetrics(this.#registry, {
      ...options,
      onFault: (fault, error) => this.runtime.onFault(fault, error),
    });
  }

  /** Of a node that publishes. */
  watchPublisher(stats: () => PublisherStats): void {
    registerPublisherMetrics(this.#registry, stats);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In Prometheus' text format. */
  async text(): Promise<string> {
    await this.store.refresh();
    return await this.#registry.metrics();
  }
}

export interface MetricsOptions {
  /** By route index; the last one takes requests that matched no route. */
  readonly routes: readonly RouteLabel[];
  readonly stats: () => RuntimeStats;
  /** Undefined while there is no store. */
  readonly storeStats: () => Promise<StoreStats | undefined>;
  /** Connections of the ledger. */
  readonly ledgerPools: () => readonly PoolStats[];
  readonly log: FaultLog;
  /** Memory, CPU, garbage collection and event loop lag of the process as well. */
  readonly isProcessWide: boolean;
}
