import type { ShardId } from '../allocator/ids.ts';
import type { Clock, TimerHandle } from './ports.ts';

/**
 * Asks the store from time to time which shards are still this node's. A batch that is fenced or lost tells more,
 * and sooner; but a node that is out of its balancer's rotation, or that gets only reads, commits nothing. So it
 * would neither see that another process has taken over, nor that the store answers again.
 */
export class StoreWatch {
  readonly #readOwned: () => Promise<readonly ShardId[]>;
  readonly #onOwned: (shardIds: readonly ShardId[]) => void;
  readonly #clock: Clock;
  #timer: TimerHandle | undefined;
  #isStopped = false;
  #hasFailed = false;
  /** When it was asked what it has not answered yet. */
  #askedAtMs: number | undefined;

  /** @param onOwned told each answer. What is not in it belongs to somebody else for good (I3). */
  constructor(
    readOwned: () => Promise<readonly ShardId[]>,
    onOwned: (shardIds: readonly ShardId[]) => void,
    clock: Clock,
  ) {
    this.#readOwned = readOwned;
    this.#onOwned = onOwned;
    this.#clock = clock;
  }

  /** It failed to answer last time, or has not answered for too long. */
  get isSilent(): boolean {
    const waitsSinceMs = this.#askedAtMs ?? Number.POSITIVE_INFINITY;
    return this.#hasFailed || this.#clock.monotonicMs() - waitsSinceMs > answerLimitMs;
  }

  /** To be called when the shards are claimed. */
  start(): void {
    this.#timer = this.#clock.setTimer(askEveryMs, () => void this.#ask());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Never rejects. One question at a time. */
  async #ask(): Promise<void> {
    this.#askedAtMs = this.#clock.monotonicMs();
    try {
      this.#onOwned(await this.#readOwned());
      this.#hasFailed = false;
    } catch {
      this.#hasFailed = true;
    }
    this.#askedAtMs = undefined;
    if (!this.#isStopped) this.start();
  }
}

const askEveryMs = 2_000;
/** Longer than a read waits behind a commit of the usual size. */
const answerLimitMs = 2_000;
