import type { Clock, TimerHandle } from './ports.ts';

/**
 * Asks the store from time to time which shards are still this node's. A batch that is fenced or lost tells more,
 * and sooner; but a node that is out of its balancer's rotation, or that gets only reads, commits nothing. So it
 * would neither see that another process has taken over, nor that the store answers again.
 */
export class StoreWatch {
  readonly #ask: () => Promise<unknown>;
  readonly #clock: Clock;
  readonly #everyMs: number;
  #timer: TimerHandle | undefined;
  #isStopped = false;
  #hasFailed = false;
  /** When it was asked what it has not answered yet. */
  #askedAtMs: number | undefined;

  /** @param ask puts the question to the store, and deals with its answer. */
  constructor(ask: () => Promise<unknown>, clock: Clock, everyMs = askEveryMs) {
    this.#ask = ask;
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** It failed to answer last time, or has not answered for too long. */
  get isSilent(): boolean {
    const waitsSinceMs = this.#askedAtMs ?? Number.POSITIVE_INFINITY;
    return this.#hasFailed || this.#clock.monotonicMs() - waitsSinceMs > answerLimitMs;
  }

  /** To be called when the shards are claimed. */
  start(): void {
    if (this.#isStopped) return;
    this.#timer = this.#clock.setTimer(this.#everyMs, () => void this.#askNow());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Never rejects. One question at a time. */
  async #askNow(): Promise<void> {
    this.#askedAtMs = this.#clock.monotonicMs();
    try {
      await this.#ask();
      this.#hasFailed = false;
    } catch {
      this.#hasFailed = true;
    }
    this.#askedAtMs = undefined;
    this.start();
  }
}

const askEveryMs = 2_000;
/** Longer than a read waits behind a commit of the usual size. */
const answerLimitMs = 2_000;
