import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, TimerHandle } from '../../../../src/actors/runtime/ports.ts';

interface Timer {
  readonly dueMs: number;
  readonly task: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #elapsedMs = 0;
  /** What the wall clock shows beyond the time that has passed: a jump changes it. */
  #offsetMs = 1_000_000;
  readonly #timers = new Set<Timer>();
  #deferred: (() => void)[] = [];

  nowMs(): number {
    return this.#offsetMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  setTimer(delayMs: number, task: () => void): TimerHandle {
    const timer: Timer = { dueMs: this.#elapsedMs + delayMs, task };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  /** Timers that are set, by the time that is left of them. */
  get delaysMs(): readonly number[] {
    return [...this.#timers].map(({ dueMs }) => dueMs - this.#elapsedMs).sort((a, b) => a - b);
  }

  /** Moves the wall clock alone, as an operator or NTP does. */
  jump(byMs: number): void {
    this.#offsetMs += byMs;
  }

  /** Lets time pass: timers run in their order, and what they start is done before the next. */
  async advance(byMs: number): Promise<void> {
    await this.settle();
    const untilMs = this.#elapsedMs + byMs;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined || next.dueMs > untilMs) break;
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      this.#timers.delete(next);
      next.task();
      await this.settle();
    }
    this.#elapsedMs = untilMs;
    await this.settle();
  }

  /** Runs what is deferred, and all that follows from it without time passing. */
  async settle(): Promise<void> {
    do {
      for (const task of this.#deferred.splice(0)) task();
      await nextTurn();
    } while (this.#deferred.length > 0);
  }
}
