import type { Clock, TimerHandle } from './ports.ts';

/** Calls an actor when its next hold is due: one timer at a time, and never far off. */
export class ExpiryTimer {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** @param nextMs wall time; Infinity: nothing is due. A timer that is set already stays. */
  arm(nextMs: number): void {
    if (this.#timer !== undefined || nextMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(Math.max(nextMs - this.#clock.nowMs(), delayMsMin), delayMsMax);
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#onDue();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** A clock that jumps must not leave a hold waiting for longer than this. */
const delayMsMax = 1_000;
/** Nor may a hold that can't end just now, in an audit, keep the loop busy. */
const delayMsMin = 5;
