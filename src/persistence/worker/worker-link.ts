import { Worker } from 'node:worker_threads';
import { CommitOutcomeUnknown, StoreUnavailable } from '../../actors/runtime/ports.ts';
import type {
  CallMessage,
  ProcedureName,
  ProcedureParameters,
  ProcedureResult,
  StoreNotice,
  WorkerMessage,
} from './store-procedures.ts';

interface WorkerLinkOptions {
  readonly entry: URL;
  readonly workerData: unknown;
  readonly onNotice: (notice: StoreNotice) => void;
}

interface PendingCall {
  readonly message: CallMessage;
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  /** Sent to the worker that runs now: if that one is lost, so is the answer. */
  sent: boolean;
}

/**
 * The main thread's end of the worker. Every call ends: with the worker's answer, or with
 * CommitOutcomeUnknown for a commit that was sent and StoreUnavailable for anything else, when the worker
 * died or the call's time limit passed. A worker that let a limit pass is terminated.
 *
 * The next call starts another worker, but not before the lost one has exited: only then is it certain what
 * its last transaction came to, and the file is free.
 *
 * Loads of schedules are sent one at a time, so that a commit waits for one of them at most.
 */
export class WorkerLink {
  readonly #options: WorkerLinkOptions;
  /** In the order of the calls. */
  readonly #pending = new Map<number, PendingCall>();
  #nextCallId = 1;
  #loadIsUnderWay = false;
  #worker: Worker | undefined;
  #lastExit: Promise<void> = Promise.resolve();
  #isStarting = false;
  #closing: Promise<void> | undefined;

  constructor(options: WorkerLinkOptions) {
    this.#options = options;
  }

  call<Name extends ProcedureName>(
    limitMs: number,
    procedure: Name,
    ...parameters: ProcedureParameters<Name>
  ): Promise<ProcedureResult<Name>> {
    if (this.#closing !== undefined) return Promise.reject(new StoreUnavailable('the store is closed'));
    return this.#submit(limitMs, procedure, parameters) as Promise<ProcedureResult<Name>>;
  }

  /** Waits for the calls under way, then has the worker close its file. */
  close(limitMs: number): Promise<void> {
    this.#closing ??= this.#close(limitMs);
    return this.#closing;
  }

  async #close(limitMs: number): Promise<void> {
    await Promise.allSettled(Array.from(this.#pending.values(), ({ promise }) => promise));
    if (this.#worker !== undefined) await this.#submit(limitMs, 'close', []);
    await this.#lastExit;
  }

  #submit(limitMs: number, procedure: ProcedureName, parameters: readonly unknown[]): Promise<unknown> {
    const callId = this.#nextCallId++;
    const message = { callId, procedure, parameters };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => this.#expire(callId, limitMs), limitMs);
    const call = { message, promise, resolve, reject, timer, sent: false };
    this.#pending.set(callId, call);
    if (this.#worker === undefined) this.#start();
    else this.#send(this.#worker, call);
    return promise;
  }

  #start(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    void this.#lastExit.then(() => {
      this.#isStarting = false;
      const { entry, workerData } = this.#options;
      const worker = new Worker(entry, { workerData });
      this.#worker = worker;
      let cause = 'the store worker ended';
      worker.on('message', (message: WorkerMessage) => this.#receive(message));
      worker.on('error', (error: Error) => {
        cause = error.message;
      });
      this.#lastExit = new Promise((resolve) => {
        worker.once('exit', () => {
          this.#lose(worker, cause);
          resolve();
        });
      });
      this.#sendWaiting(worker);
    });
  }

  #sendWaiting(worker: Worker): void {
    for (const call of this.#pending.values()) if (!call.sent) this.#send(worker, call);
  }

  #send(worker: Worker, call: PendingCall): void {
    if (call.message.procedure === 'loadSchedule') {
      if (this.#loadIsUnderWay) return;
      this.#loadIsUnderWay = true;
    }
    call.sent = true;
    worker.postMessage(call.message);
  }

  #receive(message: WorkerMessage): void {
    if (message.kind === 'notice') {
      this.#options.onNotice(message.notice);
      return;
    }
    const call = this.#take(message.callId);
    if (call === undefined) return; // its limit passed, and the answer came before the worker was stopped
    if (message.kind === 'result') call.resolve(message.value);
    else if (message.outcomeUnknown) call.reject(unanswered(call, message.message));
    else call.reject(new StoreUnavailable(message.message));
    if (call.message.procedure === 'loadSchedule' && this.#worker !== undefined) {
      this.#loadIsUnderWay = false;
      this.#sendWaiting(this.#worker);
    }
  }

  #take(callId: number): PendingCall | undefined {
    const call = this.#pending.get(callId);
    if (call === undefined) return undefined;
    this.#pending.delete(callId);
    clearTimeout(call.timer);
    return call;
  }

  #expire(callId: number, limitMs: number): void {
    const call = this.#pending.get(callId)!;
    const reason = `no answer from the store worker within ${limitMs} ms`;
    if (!call.sent) {
      this.#take(callId);
      call.reject(new StoreUnavailable(reason));
      return;
    }
    const worker = this.#worker!;
    this.#lose(worker, reason);
    void worker.terminate();
  }

  #lose(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#loadIsUnderWay = false;
    for (const call of [...this.#pending.values()]) {
      if (!call.sent) continue;
      this.#take(call.message.callId);
      call.reject(unanswered(call, reason));
    }
    if (this.#pending.size > 0) this.#start();
  }
}

function unanswered({ message }: PendingCall, reason: string): Error {
  return message.procedure === 'commit' ? new CommitOutcomeUnknown(reason) : new StoreUnavailable(reason);
}
