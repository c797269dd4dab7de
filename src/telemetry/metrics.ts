import { collectDefaultMetrics, Registry } from 'prom-client';
import { HttpMetrics, type RouteLabel } from './http-metrics.ts';
import { PaymentMetrics } from './payment-metrics.ts';
import { type FaultLog, RuntimeMetrics, type RuntimeStats } from './runtime-metrics.ts';

/** Everything that /metrics shows of this process. */
export class Metrics {
  readonly http: HttpMetrics;
  readonly runtime: RuntimeMetrics;
  readonly payments: PaymentMetrics;
  readonly #registry = new Registry();

  constructor(options: MetricsOptions) {
    this.http = new HttpMetrics(this.#registry, options.routes);
    this.payments = new PaymentMetrics(this.#registry, (fault, error) => this.runtime.onFault(fault, error));
    this.runtime = new RuntimeMetrics(this.#registry, options.log, this.payments, options.stats);
    if (options.isProcessWide) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

export interface MetricsOptions {
  /** By route index; the last one takes requests that matched no route. */
  readonly routes: readonly RouteLabel[];
  readonly stats: () => RuntimeStats;
  readonly log: FaultLog;
  /** Memory, CPU, garbage collection and event loop lag of the process as well. */
  readonly isProcessWide: boolean;
}
