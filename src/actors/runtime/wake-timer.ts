import type { Clock, TimerHandle } from './ports.ts';

/** Wakes an actor again after its recovery has failed, ever later: a store that is down is not asked in a busy loop. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #wake: () => void;
  #timer: TimerHandle | undefined;
  #failures = 0;

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  /** A timer that is set already stays. */
  arm(): void {
    if (this.#timer !== undefined) return;
    const delayMs = Math.min(delayMsMin * 2 ** this.#failures, delayMsMax);
    this.#failures += 1;
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#wake();
    });
  }

  /** It has recovered. */
  onAwake(): void {
    this.#failures = 0;
    this.cancel();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

const delayMsMin = 100;
const delayMsMax = 5_000;
