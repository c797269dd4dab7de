import type { Clock, TimerHandle } from '../../src/actors/runtime/ports.ts';
import type { Owner, Scheduler } from './scheduler.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** The clock port of one node: its timers run when the scheduler chooses them, late as in a busy process. */
export class NodeClock implements Clock {
  readonly #owner: Owner;
  readonly #clock: VirtualClock;
  readonly #scheduler: Scheduler;

  constructor(owner: Owner, clock: VirtualClock, scheduler: Scheduler) {
    this.#owner = owner;
    this.#clock = clock;
    this.#scheduler = scheduler;
  }

  nowMs(): number {
    return this.#clock.wallMsOf(this.#owner);
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs;
  }

  setTimer(delayMs: number, task: () => void): TimerHandle {
    const cancel = this.#scheduler.addTimer(
      { owner: this.#owner, label: `timer of ${delayMs} ms`, run: task },
      delayMs,
    );
    return { cancel };
  }

  defer(task: () => void): void {
    this.#scheduler.add({ owner: this.#owner, label: 'deferred', run: task });
  }
}
