import { type Clock, StoreUnavailable } from '../actors/runtime/ports.ts';

/** The node is stopping: whoever waits for the store waits no more. */
export class AskingStopped extends Error {
  override name = 'AskingStopped';
}

/** Asks the store until it answers: for what must be known before anything else may be done. */
export class PersistentAsk {
  readonly #clock: Clock;
  readonly #onFault: (error: StoreUnavailable) => void;
  #isStopped = false;

  constructor(clock: Clock, onFault: (error: StoreUnavailable) => void) {
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** @param ask may be called any number of times. Rejects with AskingStopped, or with what is not the store's fault. */
  async untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#isStopped) throw new AskingStopped();
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.#onFault(error);
      }
      await this.pause(pauseMs);
    }
  }

  pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(durationMs, resolve));
  }

  stop(): void {
    this.#isStopped = true;
  }
}

const pauseMs = 250;
