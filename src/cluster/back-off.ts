import type { Clock } from '../actors/runtime/ports.ts';

const shortestMs = 100;
/** Less than a call is parked for, so that each finds out whether the other node is back. */
const longestMs = 1_000;
const addressesMax = 1_000;

interface Pause {
  readonly failures: number;
  readonly untilMs: number;
}

/** After a failure an address is left alone: 100 ms at first, 1 s in the end, by chance a part of it. */
export class BackOff {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #random: () => number;
  /** The one that failed longest ago first. */
  readonly #pauses = new Map<string, Pause>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  isPausing(address: string): boolean {
    const pause = this.#pauses.get(address);
    return pause !== undefined && this.#clock.monotonicMs() < pause.untilMs;
  }

  onFailure(address: string): void {
    const failures = (this.#pauses.get(address)?.failures ?? 0) + 1;
    const mostMs = Math.min(shortestMs * 2 ** failures, longestMs);
    const pauseMs = shortestMs + this.#random() * (mostMs - shortestMs);
    this.#pauses.delete(address);
    this.#pauses.set(address, { failures, untilMs: this.#clock.monotonicMs() + pauseMs });
    const [oldest] = this.#pauses.keys();
    if (this.#pauses.size > addressesMax && oldest !== undefined) this.#pauses.delete(oldest);
  }

  onSuccess(address: string): void {
    this.#pauses.delete(address);
  }
}
