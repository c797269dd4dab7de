import type { Clock, TimerHandle } from '../actors/runtime/ports.ts';

/** For people: Redis is gone, or back. */
export interface RedisNotice {
  readonly kind: 'down' | 'up';
  readonly message: string;
}

/**
 * Tells once that Redis is down and once that it is back, at most one notice in `everyMs`: what comes and
 * goes in between is not told.
 */
export class OutageNotices {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #tell: (notice: RedisNotice) => void;
  /** What was told last; nobody needs to be told that all is well from the beginning. */
  #told: RedisNotice['kind'] = 'up';
  #now: RedisNotice = { kind: 'up', message: '' };
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, everyMs: number, tell: (notice: RedisNotice) => void) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#tell = tell;
  }

  update(notice: RedisNotice): void {
    this.#now = notice;
    if (notice.kind === this.#told || this.#timer !== undefined) return;
    const waitMs = this.#toldAtMs + this.#everyMs - this.#clock.monotonicMs();
    if (waitMs <= 0) return this.#tellNow();
    this.#timer = this.#clock.setTimer(waitMs, () => {
      this.#timer = undefined;
      if (this.#now.kind !== this.#told) this.#tellNow();
    });
  }

  close(): void {
    this.#timer?.cancel();
    // Held for ever: there is nothing more to tell.
    this.#timer = { cancel: () => {} };
  }

  #tellNow(): void {
    this.#told = this.#now.kind;
    this.#toldAtMs = this.#clock.monotonicMs();
    this.#tell(this.#now);
  }
}
