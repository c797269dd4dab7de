import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { LedgerOverloaded, LedgerUnavailable } from '../actors/runtime/ledger.ts';
import type { Clock } from '../actors/runtime/ports.ts';

/** The exported functions of a thread's module; `wake` does nothing. */
interface Procedures {
  wake(): void;
}

type ParameterOf<Procedure> = Procedure extends () => unknown
  ? undefined
  : Procedure extends (parameter: infer Parameter) => unknown
    ? Parameter
    : never;
type ResultOf<Procedure> = Procedure extends (parameter: never) => infer Result ? Awaited<Result> : never;

/**
 * What the procedures are decides how threads are used. Synchronous ones: each thread has one call, and as many
 * run at the same time as there are threads. Asynchronous ones wait most of their time, for a server: one
 * thread has all calls.
 */
type Work =
  | { readonly kind: 'synchronous'; readonly threads: number }
  | { readonly kind: 'asynchronous'; readonly callsAtOnce: number };

interface ThreadPoolOptions {
  readonly entry: URL;
  readonly work: Work;
  /** `workerData` of each thread. */
  readonly threadData: unknown;
  /** From the call on, so waiting counts. A thread that lets it pass is ended, and another one started. */
  readonly callLimitMs: number;
  /** Calls that run or wait. */
  readonly callsMax: number;
  readonly clock: Clock;
  readonly onFault: (fault: string, error: unknown) => void;
  /** What a thread posts by itself. */
  readonly onMessage?: (message: unknown) => void;
}

/**
 * piscina with a bound and a time limit on every call. A call rejects with LedgerOverloaded, or with
 * LedgerUnavailable when its limit passed, its thread died, or the procedure threw.
 *
 * A thread that is ended may still be in a native call (an fsync), or its server in the middle of what it asked,
 * so it may still write; another one takes its place at once. Callers must bear that; close() waits until the
 * last of them has gone.
 */
export class ThreadPool<Module extends Procedures> {
  readonly #options: ThreadPoolOptions;
  readonly #threadsMax: number;
  readonly #pool: Piscina;
  #calls = 0;
  /** Threads that were ended for their limit, until they are gone. */
  readonly #leaving = new Set<Promise<unknown>>();

  constructor(options: ThreadPoolOptions) {
    const { entry, work, threadData, onFault, onMessage } = options;
    this.#options = options;
    this.#threadsMax = work.kind === 'synchronous' ? work.threads : 1;
    this.#pool = new Piscina({
      filename: entry.href,
      minThreads: this.#threadsMax,
      maxThreads: this.#threadsMax,
      concurrentTasksPerWorker: work.kind === 'synchronous' ? 1 : work.callsAtOnce,
      // An idle thread sleeps in Atomics.wait, and wakes without a turn of its event loop. Measured: 4 to 9 % less
      // CPU a batch of one than 'disabled', the same latency. A thread that waits for a server needs the loop.
      atomics: work.kind === 'synchronous' ? 'sync' : 'disabled',
      workerData: threadData,
      recordTiming: false,
    });
    // Of a thread that dies with no call to reject.
    this.#pool.on('error', (error) => onFault('a thread of the ledger died', error));
    this.#pool.on('workerDestroy', () => setImmediate(() => this.#replaceThread()));
    if (onMessage !== undefined) this.#pool.on('message', onMessage);
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
    const { callsMax } = this.#options;
    if (this.#calls >= callsMax) throw new LedgerOverloaded(`${this.#calls} calls wait for the ledger`);
    this.#calls += 1;
    try {
      return await (this.#options.work.kind === 'synchronous'
        ? this.#runAlone(procedure, parameter, callLimitMs)
        : this.#runBesideOthers(procedure, parameter, callLimitMs));
    } finally {
      this.#calls -= 1;
    }
  }

  /** Waits for the calls that are under way. */
  async close(): Promise<void> {
    await this.#pool.close();
    // piscina replaces a thread whenever one exits, even after its own close: so one close is not the last.
    await Promise.allSettled(this.#leaving);
    await this.#pool.destroy();
  }

  /** The call has its thread for itself, and is ended with it. */
  async #runAlone<Result>(procedure: string, parameter: unknown, callLimitMs: number): Promise<Result> {
    const controller = new AbortController();
    const timer = this.#options.clock.setTimer(callLimitMs, () => this.#abandon(controller));
    try {
      return await this.#pool.run(parameter, { name: procedure, signal: controller.signal });
    } catch (error) {
      throw controller.signal.aborted ? tooLate(callLimitMs, error) : failed(error);
    } finally {
      timer.cancel();
    }
  }

  /**
   * piscina gives a call with a signal a thread for itself, so this one has none. Its procedure bounds its own
   * time; one that passes this limit as well tells that the thread's loop stands still, for all of its calls.
   */
  async #runBesideOthers<Result>(
    procedure: string,
    parameter: unknown,
    callLimitMs: number,
  ): Promise<Result> {
    const limit = Promise.withResolvers<never>();
    const timer = this.#options.clock.setTimer(callLimitMs, () => {
      limit.reject(tooLate(callLimitMs));
      for (const thread of this.#pool.threads) this.#end(thread);
    });
    const result: Promise<Result> = this.#pool.run(parameter, { name: procedure }).catch((error: unknown) => {
      throw failed(error);
    });
    try {
      return await Promise.race([result, limit.promise]);
    } finally {
      timer.cancel();
    }
  }

  /**
   * Once a thread has died while it was starting, piscina 5.3 replaces none that dies by itself: calls that wait
   * would wait for their limit. A new call makes it start one.
   */
  #replaceThread(): void {
    if (this.#calls === 0 || this.#pool.threads.length === this.#threadsMax) return;
    this.#pool.run(undefined, { name: 'wake' }).catch(() => {});
  }

  #abandon(controller: AbortController): void {
    const before = this.#pool.threads;
    controller.abort();
    const after = new Set(this.#pool.threads);
    for (const thread of before) if (!after.has(thread)) this.#end(thread);
  }

  #end(thread: Worker): void {
    const gone = thread.terminate().finally(() => this.#leaving.delete(gone));
    this.#leaving.add(gone);
  }
}

const tooLate = (callLimitMs: number, cause?: unknown): LedgerUnavailable =>
  new LedgerUnavailable(`no answer from the ledger within ${callLimitMs} ms`, { cause });

const failed = (error: unknown): LedgerUnavailable =>
  new LedgerUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
