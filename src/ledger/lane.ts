import { assert } from '../actors/allocator/assert.ts';
import { LedgerRefused, LedgerUnavailable } from '../actors/runtime/ledger.ts';
import type { Clock } from '../actors/runtime/ports.ts';
import { BatchRefused } from './book.ts';
import type { LedgerObserver } from './ledger-observer.ts';
import type { LedgerOperation, OperationResult } from './operation.ts';

/**
 * Carries all of the operations out and answers each, or rejects: then they were carried out or not.
 * BatchRefused means that no attempt will go better.
 */
export type ExecuteBatch = (operations: readonly LedgerOperation[]) => Promise<readonly OperationResult[]>;

interface LaneOptions {
  readonly execute: ExecuteBatch;
  readonly operationsPerBatchMax: number;
  readonly clock: Clock;
  readonly observer: LedgerObserver;
}

/**
 * Greedy group commit for the operations of a lane's users, in the order of their arrival. One batch is in
 * flight; what comes meanwhile is the next. There is no timer.
 *
 * A batch that fails may have been applied all the same: its thread died after COMMIT, or was given up and
 * still runs. It is sent again as it was, and that is harmless, because every operation takes effect once
 * (I4): the late commit of a thread that was given up finds its payments and marks there, or is found. It
 * reads and writes under one lock, of the file or of its users' accounts, so it falls wholly before or wholly after
 * any other batch of theirs.
 *
 * A batch that fails each time is split in halves, each of them tried once on its own, so that an operation
 * that can't be carried out takes no other one with it. Halves that fail both tell that the fault lies
 * underneath, and everything in them is given up: an outage costs a batch a few attempts, not thousands.
 */
export class Lane {
  readonly #options: LaneOptions;
  #queue: Waiting[] = [];
  #isInFlight = false;
  #isSendDeferred = false;
  #onIdle: (() => void)[] = [];
  /** One after another, the last at `#failedAtMs`. */
  #failures = 0;
  #failedAtMs = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Rejects with LedgerUnavailable when it is given up, and with LedgerRefused when no attempt goes better. */
  submit(operation: LedgerOperation): Promise<OperationResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ operation, resolve, reject });
      this.#deferSend();
    });
  }

  /** Several attempts in a row have failed, the last of them a moment ago. A single one is a thread that died. */
  get isFailing(): boolean {
    const isFresh = this.#options.clock.monotonicMs() - this.#failedAtMs < failureDoubtMs;
    return this.#failures >= failuresInDoubt && isFresh;
  }

  /** Resolves when nothing waits and nothing is in flight. */
  whenIdle(): Promise<void> {
    if (!this.#isInFlight && this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #deferSend(): void {
    if (this.#isInFlight || this.#isSendDeferred) return;
    this.#isSendDeferred = true;
    this.#options.clock.defer(() => {
      this.#isSendDeferred = false;
      this.#sendNext();
    });
  }

  #sendNext(): void {
    if (this.#isInFlight) return;
    if (this.#queue.length === 0) {
      for (const resolve of this.#onIdle.splice(0)) resolve();
      return;
    }
    this.#isInFlight = true;
    void this.#send(this.#queue.splice(0, this.#options.operationsPerBatchMax));
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const first = await this.#attempt(batch);
    if (first.kind !== 'committed') await this.#insist(batch, first);
    this.#isInFlight = false;
    // The next batch is on its way while these answers are read.
    this.#sendNext();
    if (first.kind === 'committed') settle(batch, first.results);
  }

  /** Further attempts at what has failed once. Every operation is settled when it resolves. */
  async #insist(batch: readonly Waiting[], first: Failure): Promise<void> {
    let attempt: Attempt = first;
    const { clock } = this.#options;
    const giveUpMs = clock.monotonicMs() + insistMsMax;
    for (const pauseMs of pausesMs) {
      if (attempt.kind !== 'failed' || clock.monotonicMs() > giveUpMs) break;
      await this.#pause(pauseMs);
      attempt = await this.#attempt(batch);
    }
    if (attempt.kind === 'committed') return settle(batch, attempt.results);
    // Attempts that hang tell of the disk, not of an operation.
    const isHanging = attempt.kind === 'failed' && clock.monotonicMs() > giveUpMs;
    if (isHanging) this.#giveUp([...batch, ...this.#queue.splice(0)], attempt);
    else await this.#split(batch, attempt);
  }

  async #split(batch: readonly Waiting[], failed: Failure): Promise<void> {
    const middle = batch.length >> 1;
    if (middle === 0) return this.#giveUp(batch, failed);
    const halves = [batch.slice(0, middle), batch.slice(middle)];
    const failures: { readonly half: readonly Waiting[]; readonly failure: Failure }[] = [];
    for (const half of halves) {
      const attempt = await this.#attempt(half);
      if (attempt.kind === 'committed') settle(half, attempt.results);
      else failures.push({ half, failure: attempt });
    }
    const isOutage = failures.length === halves.length && failures.every((f) => f.failure.kind === 'failed');
    // The halves' failure counts: if the batch was refused, that was for one operation, and nobody knows which.
    if (isOutage) return this.#giveUp(batch, failures[0]!.failure);
    for (const { half, failure } of failures) await this.#split(half, failure);
  }

  #giveUp(batch: readonly Waiting[], { kind, error }: Failure): void {
    this.#options.observer.onFault(`${batch.length} operations of the ledger were given up`, error);
    const reason = error instanceof Error ? error.message : String(error);
    const Rejection = kind === 'refused' ? LedgerRefused : LedgerUnavailable;
    for (const { reject } of batch) reject(new Rejection(reason, { cause: error }));
  }

  async #attempt(batch: readonly Waiting[]): Promise<Attempt> {
    const { clock, observer, execute } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const results = await execute(batch.map(({ operation }) => operation));
      assert(results.length === batch.length, 'every operation of a batch is answered');
      observer.onBatch(batch.length, clock.monotonicMs() - startedMs, 'committed');
      this.#failures = 0;
      return { kind: 'committed', results };
    } catch (error) {
      observer.onBatch(batch.length, clock.monotonicMs() - startedMs, 'failed');
      observer.onFault('a batch of the ledger failed', error);
      if (error instanceof BatchRefused) {
        this.#failures = 0;
        return { kind: 'refused', error };
      }
      this.#failures += 1;
      this.#failedAtMs = clock.monotonicMs();
      return { kind: 'failed', error };
    }
  }

  #pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(durationMs, resolve));
  }
}

/** So many failures in a row speak against the ledger, for so long; after that a call must find out. */
const failuresInDoubt = 3;
const failureDoubtMs = 5_000;

/** Attempts that take longer than this together are the last, for those that wait behind them as well. */
const insistMsMax = 5_000;

/** Before each further attempt: a thread is replaced within milliseconds, a lock is held for longer. */
const pausesMs = [10, 50, 250, 1000] as const;

interface Waiting {
  readonly operation: LedgerOperation;
  readonly resolve: (result: OperationResult) => void;
  readonly reject: (error: LedgerUnavailable | LedgerRefused) => void;
}

interface Failure {
  readonly kind: 'failed' | 'refused';
  readonly error: unknown;
}

type Attempt = Failure | { readonly kind: 'committed'; readonly results: readonly OperationResult[] };

function settle(batch: readonly Waiting[], results: readonly OperationResult[]): void {
  for (let i = 0; i < batch.length; i++) batch[i]!.resolve(results[i]!);
}
