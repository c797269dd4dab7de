import type { Registry } from 'prom-client';
import { HotHistogram } from './hot-histogram.ts';
import {
  counterFamily,
  histogramFamily,
  histogramSamples,
  labelledCounter,
  register,
} from './metric-family.ts';

const paymentSecondsBounds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120,
];
const callSecondsBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8];
const operationsBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const batchSecondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

const breakerStates = ['closed', 'half-open', 'open'] as const;
type BreakerState = (typeof breakerStates)[number];

/** Payments, the ledger's batches and the gateway's calls. */
export class PaymentMetrics {
  readonly #onFault: (fault: string, error: unknown) => void;
  readonly #steps = new Map<string, number>();
  readonly #seconds = new Map<string, HotHistogram>();
  readonly #calls = new Map<string, HotHistogram>();
  readonly #batches = new Map<string, number>();
  readonly #batchOperations = new HotHistogram(operationsBounds);
  readonly #batchSeconds = new HotHistogram(batchSecondsBounds);
  #breaker: BreakerState = 'closed';
  #breakerOpenings = 0;

  constructor(registry: Registry, onFault: (fault: string, error: unknown) => void) {
    this.#onFault = onFault;
    const families = [
      {
        name: 'usher_payment_duration_seconds',
        help: 'From S0 to the end of a payment, by method and outcome',
        type: 'histogram' as const,
        samples: () => labelledSamples(this.#seconds, ['method', 'outcome']),
      },
      labelledCounter(
        'usher_payment_steps_total',
        'Boundaries that payments have passed',
        'step',
        this.#steps,
      ),
      labelledCounter('usher_ledger_batches_total', 'Transactions of the ledger', 'outcome', this.#batches),
      histogramFamily('usher_ledger_batch_operations', 'Operations in a transaction', this.#batchOperations),
      histogramFamily('usher_ledger_batch_duration_seconds', 'Time of a transaction', this.#batchSeconds),
      {
        name: 'usher_gateway_call_duration_seconds',
        help: 'Calls of the card gateway, by call and outcome',
        type: 'histogram' as const,
        samples: () => labelledSamples(this.#calls, ['call', 'outcome']),
      },
      {
        name: 'usher_gateway_breaker_state',
        help: 'The circuit breaker before the gateway: 1 at the state that it is in',
        type: 'gauge' as const,
        samples: () =>
          breakerStates.map((state) => ({ labels: { state }, value: state === this.#breaker ? 1 : 0 })),
      },
      counterFamily(
        'usher_gateway_breaker_openings_total',
        'How often the breaker has opened',
        () => this.#breakerOpenings,
      ),
    ];
    for (const family of families) register(registry, family);
  }

  step(step: string): void {
    this.#steps.set(step, (this.#steps.get(step) ?? 0) + 1);
  }

  payment(method: string, outcome: string, durationMs: number): void {
    observe(this.#seconds, `${method} ${outcome}`, paymentSecondsBounds, durationMs);
  }

  /** The ledger's observer. */
  onBatch(operations: number, durationMs: number, outcome: string): void {
    this.#batchOperations.observe(operations);
    this.#batchSeconds.observe(durationMs / 1000);
    this.#batches.set(outcome, (this.#batches.get(outcome) ?? 0) + 1);
  }

  onFault(fault: string, error: unknown): void {
    this.#onFault(fault, error);
  }

  /** The gateway's observer. */
  onGatewayCall(call: string, outcome: string, durationMs: number): void {
    observe(this.#calls, `${call} ${outcome}`, callSecondsBounds, durationMs);
  }

  onBreaker(state: BreakerState): void {
    if (state === 'open') {
      this.#breakerOpenings += 1;
      this.#onFault('the card gateway fails or is slow: no card is charged for a while', undefined);
    }
    this.#breaker = state;
  }
}

function observe(
  histograms: Map<string, HotHistogram>,
  key: string,
  bounds: readonly number[],
  durationMs: number,
): void {
  let histogram = histograms.get(key);
  if (histogram === undefined) {
    histogram = new HotHistogram(bounds);
    histograms.set(key, histogram);
  }
  histogram.observe(durationMs / 1000);
}

/** The key is the labels' values, separated by a space. */
function labelledSamples(histograms: ReadonlyMap<string, HotHistogram>, names: readonly [string, string]) {
  return [...histograms].flatMap(([key, histogram]) => {
    const [first = '', second = ''] = key.split(' ');
    return histogramSamples(histogram, { [names[0]]: first, [names[1]]: second });
  });
}
