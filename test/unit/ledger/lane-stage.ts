import { LaneLedger } from '../../../src/ledger/lane-ledger.ts';
import type { LedgerObserver } from '../../../src/ledger/ledger-observer.ts';
import type { LedgerOperation, OperationResult } from '../../../src/ledger/operation.ts';
import { pointsCharge } from '../../contract/ledger-orders.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';

interface SentBatch {
  /** Keys of its charges, in their order. */
  readonly keys: readonly string[];
  answer(): void;
  fail(error?: Error): void;
}

/** A LaneLedger over a script: a test sees each batch as it is sent, and decides what comes of it. */
export class LaneStage {
  readonly clock = new ManualClock();
  readonly sent: SentBatch[] = [];
  readonly batches: string[] = [];
  readonly faults: string[] = [];
  readonly ledger: LaneLedger;
  /** By key; what a call came to. */
  readonly outcomes: Record<string, string> = {};
  /** Decides on a batch as it is sent; undefined leaves it open. */
  script: ((keys: readonly string[]) => Error | 'answer' | undefined) | undefined;

  constructor({ lanes = 1, waitingMax = 100, perBatchMax = 10 } = {}) {
    const observer: LedgerObserver = {
      onBatch: (operations, durationMs, outcome) =>
        this.batches.push(`${operations} ${outcome} ${durationMs} ms`),
      onFault: (fault) => this.faults.push(fault),
    };
    this.ledger = new LaneLedger({
      execute: (operations) => this.#execute(operations),
      lanes,
      operationsWaitingMax: waitingMax,
      operationsPerBatchMax: perBatchMax,
      clock: this.clock,
      observer,
    });
  }

  charge(key: string, payer = 'ann'): void {
    this.outcomes[key] = 'waits';
    this.ledger.charge(pointsCharge(payer, 1, key, 0)).then(
      (outcome) => {
        this.outcomes[key] = outcome.kind;
      },
      (error: Error) => {
        this.outcomes[key] = error.name;
      },
    );
  }

  get sentKeys(): readonly string[] {
    return this.sent.map(({ keys }) => keys.join(' '));
  }

  #execute(operations: readonly LedgerOperation[]): Promise<readonly OperationResult[]> {
    const keys = operations.map((operation) =>
      operation.kind === 'charge' ? operation.charge.mark.key : '?',
    );
    const { promise, resolve, reject } = Promise.withResolvers<readonly OperationResult[]>();
    const batch: SentBatch = {
      keys,
      answer: () =>
        resolve(keys.map((_, i) => ({ kind: 'charged', entryId: i + 1, balance: 1, replayed: false }))),
      fail: (error = new Error('lost')) => reject(error),
    };
    this.sent.push(batch);
    const decided = this.script?.(keys);
    if (decided === 'answer') batch.answer();
    else if (decided !== undefined) batch.fail(decided);
    return promise;
  }
}
