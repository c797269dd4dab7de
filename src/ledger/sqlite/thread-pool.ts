import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { LedgerOverloaded, LedgerUnavailable } from '../../actors/runtime/ledger.ts';
import type { Clock } from '../../actors/runtime/ports.ts';
import type { LedgerThreadData } from './ledger-thread.ts';

/** The exported functions of a thread's module, all of them synchronous; `wake` does nothing. */
interface Procedures {
  wake(): void;
}

type ParameterOf<Procedure> = Procedure extends () => unknown
  ? undefined
  : Procedure extends (parameter: infer Parameter) => unknown
    ? Parameter
    : never;
type ResultOf<Procedure> = Procedure extends (parameter: never) => infer Result ? Result : never;

interface ThreadPoolOptions {
  readonly entry: URL;
  readonly threads: number;
  readonly threadData: LedgerThreadData;
  /** From the call on, so waiting counts. A thread that lets it pass is ended, and another one started. */
  readonly callLimitMs: number;
  /** Calls that run or wait. */
  readonly callsMax: number;
  readonly clock: Clock;
  readonly onFault: (fault: string, error: unknown) => void;
}

/**
 * piscina with a bound and a time limit on every call. A call rejects with LedgerOverloaded, or with
 * LedgerUnavailable when its limit passed, its thread died, or the procedure threw.
 *
 * A thread that is ended may still be in a native call (an fsync), so it may still write; another one takes its
 * place at once. Callers must bear that; close() waits until the last of them has gone.
 */
export class ThreadPool<Module extends Procedures> {
  readonly #options: ThreadPoolOptions;
  readonly #pool: Piscina;
  #calls = 0;
  /** Threads that were ended for their limit, until they are gone. */
  readonly #leaving = new Set<Promise<unknown>>();

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#pool = new Piscina({
      filename: options.entry.href,
      minThreads: options.threads,
      maxThreads: options.threads,
      concurrentTasksPerWorker: 1,
      // An idle thread sleeps in Atomics.wait, and wakes without a turn of its event loop: it has no use for one,
      // nothing in it is asynchronous. Measured: 4 to 9 % less CPU a batch of one than 'disabled', the same latency.
      atomics: 'sync',
      workerData: options.threadData,
      recordTiming: false,
    });
    // Of a thread that dies with no call to reject.
    this.#pool.on('error', (error) => options.onFault('a thread of the ledger died', error));
    this.#pool.on('workerDestroy', () => setImmediate(() => this.#replaceThread()));
  }

  /** As they are now: one that is lost is replaced. */
  get threads(): readonly Worker[] {
    return this.#pool.threads;
  }

  async run<Name extends keyof Module & string>(
    procedure: Name,
    parameter: ParameterOf<Module[Name]>,
    callLimitMs: number = this.#options.callLimitMs,
  ): Promise<ResultOf<Module[Name]>> {
    const { callsMax, clock } = this.#options;
    if (this.#calls >= callsMax) throw new LedgerOverloaded(`${this.#calls} calls wait for the ledger`);
    const controller = new AbortController();
    const timer = clock.setTimer(callLimitMs, () => this.#abandon(controller));
    this.#calls += 1;
    try {
      return await this.#pool.run(parameter, { name: procedure, signal: controller.signal });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new LedgerUnavailable(
        controller.signal.aborted ? `no answer from the ledger within ${callLimitMs} ms` : reason,
        { cause: error },
      );
    } finally {
      this.#calls -= 1;
      timer.cancel();
    }
  }

  /** Waits for the calls that are under way. */
  async close(): Promise<void> {
    await this.#pool.close();
    // piscina replaces a thread whenever one exits, even after its own close: so one close is not the last.
    await Promise.allSettled(this.#leaving);
    await this.#pool.destroy();
  }

  /**
   * Once a thread has died while it was starting, piscina 5.3 replaces none that dies by itself: calls that wait
   * would wait for their limit. A new call makes it start one.
   */
  #replaceThread(): void {
    if (this.#calls === 0 || this.#pool.threads.length === this.#options.threads) return;
    this.#pool.run(undefined, { name: 'wake' }).catch(() => {});
  }

  #abandon(controller: AbortController): void {
    const before = this.#pool.threads;
    controller.abort();
    const after = new Set(this.#pool.threads);
    for (const thread of before) {
      if (after.has(thread)) continue;
      const gone = thread.terminate().finally(() => this.#leaving.delete(gone));
      this.#leaving.add(gone);
    }
  }
}
