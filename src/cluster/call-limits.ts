import type { Clock, TimerHandle } from '../actors/runtime/ports.ts';

/** Calls whose time ends within the same span share a timer: a timer each would cost as much as the call. */
const spanMs = 10;

/** Tells when the time of a call is up: never before that, and some 10 ms later at most. */
export class CallLimits {
  readonly #clock: Clock;
  readonly #onDue: (callId: number) => void;
  readonly #spans = new Map<number, { readonly callIds: number[]; readonly timer: TimerHandle }>();

  /** @param onDue also for calls that have long been answered: they are not taken out. */
  constructor(clock: Clock, onDue: (callId: number) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  add(callId: number, limitMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    const span = Math.ceil((nowMs + limitMs) / spanMs);
    const known = this.#spans.get(span);
    if (known !== undefined) return void known.callIds.push(callId);
    const timer = this.#clock.setTimer(span * spanMs - nowMs, () => this.#expire(span));
    this.#spans.set(span, { callIds: [callId], timer });
  }

  stop(): void {
    for (const { timer } of this.#spans.values()) timer.cancel();
    this.#spans.clear();
  }

  /** When this process stood still, answers may be waiting in the socket: they are read first. */
  #expire(span: number): void {
    this.#clock.defer(() => {
      const callIds = this.#spans.get(span)?.callIds ?? [];
      this.#spans.delete(span);
      for (const callId of callIds) this.#onDue(callId);
    });
  }
}
