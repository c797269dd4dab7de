import type { ReservationNumber, ScheduleId } from '../allocator/ids.ts';
import type { Clock, Store, TimerHandle } from './ports.ts';

/**
 * Whether the store answers, for whoever asks if the node is ready. A batch that is lost says that it does not; but
 * a node that is out of its balancer's rotation gets no requests, and would commit nothing that says that it does
 * again. So the store is asked for a row that is not there, from time to time.
 */
export class StoreWatch {
  readonly #store: Pick<Store, 'findReservation'>;
  readonly #clock: Clock;
  #timer: TimerHandle | undefined;
  #isStopped = false;
  #hasFailed = false;
  /** When it was asked what it has not answered yet. */
  #askedAtMs: number | undefined;

  constructor(store: Pick<Store, 'findReservation'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** It failed to answer last time, or has not answered for too long. */
  get isSilent(): boolean {
    const waitsSinceMs = this.#askedAtMs ?? Number.POSITIVE_INFINITY;
    return this.#hasFailed || this.#clock.monotonicMs() - waitsSinceMs > answerLimitMs;
  }

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
      await this.#store.findReservation(0 as ScheduleId, 0 as ReservationNumber);
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
