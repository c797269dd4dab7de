import { Worker } from 'node:worker_threads';
import type { Clock, TimerHandle } from '../../actors/runtime/ports.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { FromPublisher, KafkaWorkerData, ToPublisher } from './publisher-messages.ts';
import type { PublisherNotice } from './publisher-notice.ts';
import { type PublisherStore, type ScheduleOf, SourceRelay } from './source-relay.ts';

/**
 * The main thread's end of publishing. All of the work is the worker's (publishing-loop.ts); this side hands its
 * calls on to the store, wakes it after commits, and starts another one when it dies: what was not marked is
 * published again, so nothing is lost with it.
 */
export class KafkaPublisher {
  readonly #options: KafkaPublisherOptions;
  readonly #relay: SourceRelay;
  #worker: Worker | undefined;
  #restart: TimerHandle | undefined;
  #backlogTimer: TimerHandle | undefined;
  #deaths = 0;
  #isStopping = false;
  #isConnected = false;
  #isAsleep = false;
  /** Since it was last asleep. */
  #isWoken = false;
  #publishedEvents = 0;
  #failures = 0;
  #lastPublishedMs: number | undefined;

  constructor(options: KafkaPublisherOptions) {
    this.#options = options;
    this.#relay = new SourceRelay({
      store: options.store,
      scheduleOf: options.scheduleOf,
      onPublished: (events) => this.#onPublished(events),
    });
  }

  /** Returns at once, whatever Kafka's state. */
  start(): void {
    this.#startWorker();
    this.#watchBacklog();
  }

  #startWorker(): void {
    const { entry = workerEntry, kafka, clock } = this.#options;
    const worker = new Worker(entry, {
      workerData: { kafka } satisfies KafkaWorkerData,
      // kafkajs takes settings from the environment, and has no business with our secrets.
      env: {},
    });
    this.#worker = worker;
    const startedMs = clock.monotonicMs();
    let cause = 'it ended';
    worker.on('message', (message: FromPublisher) => this.#receive(worker, message));
    worker.on('error', (error: Error) => {
      cause = error.message;
    });
    worker.once('exit', () => {
      this.#worker = undefined;
      this.#isConnected = false;
      this.#isAsleep = false;
      if (!this.#isStopping) this.#onDeath(cause, clock.monotonicMs() - startedMs);
    });
  }

  /** Call after each commit: tells the worker, if it does not know that there is something to do. */
  wake(): void {
    if (!this.#isAsleep) {
      this.#isWoken = true;
      return;
    }
    this.#isAsleep = false;
    this.#post(wakeMessage);
  }

  /** Resolves, with the worker gone, when the part that is being sent is marked, or after `limitMs`. */
  async stop(limitMs: number): Promise<void> {
    this.#isStopping = true;
    this.#restart?.cancel();
    this.#backlogTimer?.cancel();
    const worker = this.#worker;
    if (worker === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    worker.once('exit', () => resolve());
    const timer = setTimeout(() => void worker.terminate(), limitMs);
    this.#post({ kind: 'stop' });
    await promise;
    clearTimeout(timer);
  }

  /** Read when somebody scrapes. */
  stats(): PublisherStats {
    const { backlogEvents } = this.#relay;
    const { clock } = this.#options;
    return {
      publishedEvents: this.#publishedEvents,
      failures: this.#failures,
      isConnected: this.#isConnected,
      ...(backlogEvents !== undefined && { unpublishedEvents: backlogEvents }),
      ...(this.#lastPublishedMs !== undefined && {
        lastPublishedSecondsAgo: (clock.monotonicMs() - this.#lastPublishedMs) / 1000,
      }),
    };
  }

  #receive(worker: Worker, message: FromPublisher): void {
    switch (message.kind) {
      case 'call':
        void this.#answer(worker, message);
        break;
      case 'asleep':
        this.#isAsleep = !this.#isWoken;
        if (this.#isWoken) this.#post(wakeMessage);
        this.#isWoken = false;
        break;
      case 'connection':
        this.#isConnected = message.isConnected;
        break;
      case 'failed':
        this.#failures += 1;
        break;
      case 'notice':
        this.#options.onNotice(message.notice);
    }
  }

  async #answer(worker: Worker, call: Extract<FromPublisher, { readonly kind: 'call' }>): Promise<void> {
    const { callId, procedure, parameters } = call;
    let answer: ToPublisher;
    try {
      const relayed = this.#relay[procedure] as (...parameters: unknown[]) => Promise<unknown>;
      answer = { kind: 'result', callId, value: await relayed.call(this.#relay, ...parameters) };
    } catch (error) {
      answer = { kind: 'failure', callId, message: error instanceof Error ? error.message : String(error) };
    }
    worker.postMessage(answer);
  }

  #onPublished(events: number): void {
    this.#publishedEvents += events;
    if (events > 0) this.#lastPublishedMs = this.#options.clock.monotonicMs();
  }

  #onDeath(cause: string, livedMs: number): void {
    this.#failures += 1;
    if (livedMs > longLifeMs) this.#deaths = 0;
    const delayMs = Math.min(restartAfterMsMax, restartAfterMs * 2 ** this.#deaths);
    this.#deaths += 1;
    this.#options.onNotice({
      kind: 'fault',
      fault: 'the thread that publishes to Kafka died: another one is started',
      message: cause,
    });
    this.#restart = this.#options.clock.setTimer(delayMs, () => this.#startWorker());
  }

  /** Only for people: the worker may not be asking, as when it waits for a broker's answer. */
  #watchBacklog(): void {
    this.#backlogTimer = this.#options.clock.setTimer(backlogEveryMs, () => {
      this.#relay.readUnpublished(0).catch(() => {});
      this.#watchBacklog();
    });
  }

  #post(message: ToPublisher): void {
    this.#worker?.postMessage(message);
  }
}

interface KafkaPublisherOptions {
  readonly kafka: KafkaOptions;
  readonly store: PublisherStore;
  /** From the catalogue; undefined for a schedule that there is not. Rejects when the store can't say so now. */
  readonly scheduleOf: ScheduleOf;
  readonly clock: Clock;
  /** For people. */
  readonly onNotice: (notice: PublisherNotice) => void;
  /** The worker's module. Default: kafka-worker.ts. */
  readonly entry?: URL;
}

interface PublisherStats {
  /** By this process, with those that were published again. */
  readonly publishedEvents: number;
  /** Attempts that came to nothing, schedules that were stopped, and threads that died. */
  readonly failures: number;
  readonly isConnected: boolean;
  /** Committed and not yet published, some seconds ago at most; absent before the first look. */
  readonly unpublishedEvents?: number;
  /** Absent before the first. */
  readonly lastPublishedSecondsAgo?: number;
}

const workerEntry = new URL('./kafka-worker.ts', import.meta.url);
const wakeMessage: ToPublisher = { kind: 'wake' };

const backlogEveryMs = 5_000;

const restartAfterMs = 100;
const restartAfterMsMax = 5_000;
/** One that lived so long did not die of how it was started. */
const longLifeMs = 60_000;
