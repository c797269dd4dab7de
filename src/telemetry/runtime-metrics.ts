import { channel } from 'node:diagnostics_channel';
import type { Registry } from 'prom-client';
import type { PaymentId, ScheduleId } from '../actors/allocator/ids.ts';
import type { PaymentMethod } from '../actors/allocator/payment.ts';
import type {
  BatchOutcome,
  DecisionCode,
  PaymentOutcome,
  PaymentStep,
  RuntimeObserver,
} from '../actors/runtime/runtime-observer.ts';
import { HotHistogram } from './hot-histogram.ts';
import {
  counterFamily,
  histogramFamily,
  labelledCounter,
  type MetricFamily,
  register,
} from './metric-family.ts';
import type { PaymentMetrics } from './payment-metrics.ts';

/** Gauges, read when somebody scrapes. */
export interface RuntimeStats {
  readonly actors: number;
  /** Commands that wait for their actor or for the disk. */
  readonly mailboxDepth: number;
  readonly openHolds: number;
  readonly heldSeats: number;
  readonly openPayments: number;
}

/** Where faults are written down. */
export interface FaultLog {
  warn(fields: { readonly err: unknown }, message: string): void;
}

const rowsBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000];
const batchSecondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const recoverySecondsBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * Every boundary that a payment passes, as `{step, paymentId}` (runtime-observer.ts): published in the turn in
 * which it is passed, so that a tracer, or a test that kills the process there, sees it happen.
 */
const paymentSteps = channel('usher:payment-step');

/** What the runtime tells of itself, as metrics; its faults go to the log as well. */
export class RuntimeMetrics implements RuntimeObserver {
  readonly #log: FaultLog;
  readonly #payments: PaymentMetrics;
  readonly #decisions = new Map<string, Map<DecisionCode, number>>();
  readonly #batches = new Map<BatchOutcome, number>();
  readonly #batchRows = new HotHistogram(rowsBounds);
  readonly #batchSeconds = new HotHistogram(batchSecondsBounds);
  readonly #recoverySeconds = new HotHistogram(recoverySecondsBounds);
  #expiredHolds = 0;
  #faults = 0;

  constructor(registry: Registry, log: FaultLog, payments: PaymentMetrics, stats: () => RuntimeStats) {
    this.#log = log;
    this.#payments = payments;
    for (const family of [...this.#families(), ...gaugeFamilies(stats)]) register(registry, family);
  }

  onBatch(rows: number, durationMs: number, outcome: BatchOutcome): void {
    this.#batchRows.observe(rows);
    this.#batchSeconds.observe(durationMs / 1000);
    this.#batches.set(outcome, (this.#batches.get(outcome) ?? 0) + 1);
  }

  onDecision(kind: string, code: DecisionCode): void {
    let byCode = this.#decisions.get(kind);
    if (byCode === undefined) {
      byCode = new Map();
      this.#decisions.set(kind, byCode);
    }
    byCode.set(code, (byCode.get(code) ?? 0) + 1);
  }

  onExpired(holds: number): void {
    this.#expiredHolds += holds;
  }

  onRecovery(_scheduleId: ScheduleId, durationMs: number, _liveSeats: number): void {
    this.#recoverySeconds.observe(durationMs / 1000);
  }

  onPaymentStep(step: PaymentStep, paymentId: PaymentId): void {
    this.#payments.step(step);
    if (paymentSteps.hasSubscribers) paymentSteps.publish({ step, paymentId });
  }

  onPayment(method: PaymentMethod, outcome: PaymentOutcome, durationMs: number): void {
    this.#payments.payment(method, outcome, durationMs);
  }

  onFault(fault: string, error: unknown): void {
    this.#faults += 1;
    this.#log.warn({ err: error }, fault);
  }

  #families(): readonly MetricFamily[] {
    return [
      {
        name: 'usher_decisions_total',
        help: 'Commands decided, by kind and outcome: ok, replayed, unchanged or the code of the refusal',
        type: 'counter',
        samples: () =>
          [...this.#decisions].flatMap(([kind, byCode]) =>
            [...byCode].map(([outcome, value]) => ({ labels: { kind, outcome }, value })),
          ),
      },
      labelledCounter('usher_batches_total', 'Group commits, by outcome', 'outcome', this.#batches),
      histogramFamily('usher_batch_rows', 'Events in a group commit', this.#batchRows),
      histogramFamily('usher_batch_duration_seconds', 'Time of a group commit', this.#batchSeconds),
      histogramFamily('usher_recovery_seconds', 'Time to recover a schedule', this.#recoverySeconds),
      counterFamily('usher_expiries_total', 'Holds that ended by their time', () => this.#expiredHolds),
      counterFamily(
        'usher_faults_total',
        'Faults that were contained; the log tells which',
        () => this.#faults,
      ),
    ];
  }
}

function gaugeFamilies(stats: () => RuntimeStats): readonly MetricFamily[] {
  const gauge = (name: string, help: string, read: (stats: RuntimeStats) => number) => ({
    name,
    help,
    type: 'gauge' as const,
    samples: () => [{ labels: {}, value: read(stats()) }],
  });
  return [
    gauge('usher_actors', 'Schedules in memory', ({ actors }) => actors),
    gauge('usher_mailbox_depth', 'Commands that wait', ({ mailboxDepth }) => mailboxDepth),
    gauge('usher_holds', 'Open holds', ({ openHolds }) => openHolds),
    gauge('usher_open_payments', 'Payments that are not over', ({ openPayments }) => openPayments),
    gauge('usher_held_seats', 'Seats in open holds', ({ heldSeats }) => heldSeats),
  ];
}
