import { assert } from '../actors/allocator/assert.ts';
import {
  type CardOrder,
  type CardResult,
  type ChargeOutcome,
  type Ledger,
  LedgerOverloaded,
  LedgerUnavailable,
  type PaymentOrder,
  type PaymentRecord,
  type PointsCharge,
} from '../actors/runtime/ledger.ts';
import type { Clock } from '../actors/runtime/ports.ts';
import { Lane } from './lane.ts';
import { laneOf } from './lane-of.ts';
import type { LedgerObserver } from './ledger-observer.ts';
import { type LedgerOperation, type OperationResult, userOf } from './operation.ts';

/** ExecuteBatch for whoever keeps something of its own for each lane. */
type ExecuteLaneBatch = (
  operations: readonly LedgerOperation[],
  lane: number,
) => Promise<readonly OperationResult[]>;

export interface LaneLedgerOptions {
  /** Takes one batch of each lane at a time; lanes are numbered from 0. */
  readonly execute: ExecuteLaneBatch;
  readonly lanes: number;
  /** Calls that wait, those in flight included. Beyond it they are rejected at once. */
  readonly operationsWaitingMax: number;
  /** Default 1,000: more gains nothing, and a batch keeps the file locked for longer. */
  readonly operationsPerBatchMax?: number;
  readonly clock: Clock;
  readonly observer: LedgerObserver;
}

/**
 * The Ledger port on lanes: a call becomes an operation, and joins the batch of its user's lane. Knows neither
 * threads nor files, so a simulation runs it as it is. A call rejects with LedgerOverloaded at once, or with
 * LedgerUnavailable after the attempts of its lane.
 */
export class LaneLedger implements Ledger {
  readonly #lanes: readonly Lane[];
  readonly #operationsWaitingMax: number;
  #operationsWaiting = 0;
  #closing: Promise<void> | undefined;

  constructor(options: LaneLedgerOptions) {
    const { execute, lanes, operationsWaitingMax, operationsPerBatchMax = 1000, clock, observer } = options;
    assert(lanes >= 1, 'a ledger has a lane');
    this.#operationsWaitingMax = operationsWaitingMax;
    this.#lanes = Array.from(
      { length: lanes },
      (_, lane) =>
        new Lane({
          execute: (operations) => execute(operations, lane),
          operationsPerBatchMax,
          clock,
          observer,
        }),
    );
  }

  get operationsWaiting(): number {
    return this.#operationsWaiting;
  }

  get isOverloaded(): boolean {
    return this.#operationsWaiting >= this.#operationsWaitingMax;
  }

  get isFailing(): boolean {
    return this.#lanes.some((lane) => lane.isFailing);
  }

  charge(charge: PointsCharge): Promise<ChargeOutcome> {
    return this.#submit({ kind: 'charge', charge });
  }

  payByPoints(order: PaymentOrder, atMs: number): Promise<PaymentRecord> {
    return this.#submit({ kind: 'pay-by-points', order, atMs });
  }

  openCardPayment(order: CardOrder, atMs: number): Promise<PaymentRecord> {
    return this.#submit({ kind: 'open-card', order, atMs });
  }

  closeCardPayment(order: PaymentOrder, result: CardResult, atMs: number): Promise<PaymentRecord> {
    return this.#submit({ kind: 'close-card', order, result, atMs });
  }

  cancelUnlessBegun(order: PaymentOrder, atMs: number): Promise<PaymentRecord> {
    return this.#submit({ kind: 'cancel-unless-begun', order, atMs });
  }

  refund(order: PaymentOrder, atMs: number, reference?: string): Promise<PaymentRecord> {
    return this.#submit({ kind: 'refund', order, reference, atMs });
  }

  /** Calls that come later are rejected with LedgerUnavailable. */
  close(): Promise<void> {
    this.#closing ??= this.#settleLanes();
    return this.#closing;
  }

  async #settleLanes(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.whenIdle()));
  }

  /** An operation is answered by a result of its own kind: the book sees to it. */
  async #submit<Result extends OperationResult>(operation: LedgerOperation): Promise<Result> {
    if (this.#closing !== undefined) throw new LedgerUnavailable('the ledger is closed');
    if (this.isOverloaded) {
      throw new LedgerOverloaded(`${this.#operationsWaiting} operations wait for the ledger`);
    }
    this.#operationsWaiting += 1;
    try {
      const lane = this.#lanes[laneOf(userOf(operation), this.#lanes.length)]!;
      return (await lane.submit(operation)) as Result;
    } finally {
      this.#operationsWaiting -= 1;
    }
  }
}
