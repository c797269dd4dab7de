import type { Clock } from './ports.ts';

/** Between the beginnings of two reads: whoever asks for ids that there are not, however fast, makes 5 reads a second. */
const restMs = 200;

/**
 * When to read what other nodes have created: one read at a time, and for all who came before it began. Whoever comes
 * while one is under way waits for the next, because what he misses may have been created since that one began.
 */
export class CatalogLessons {
  readonly #read: () => Promise<void>;
  readonly #clock: Pick<Clock, 'monotonicMs' | 'setTimer'>;
  #underWay: Promise<void> | undefined;
  /** Not yet begun. */
  #next: Promise<void> | undefined;
  #begunAtMs = Number.NEGATIVE_INFINITY;

  constructor(read: () => Promise<void>, clock: Pick<Clock, 'monotonicMs' | 'setTimer'>) {
    this.#read = read;
    this.#clock = clock;
  }

  /** Resolves when a read is over that begins after this call. Rejects as the read does. */
  next(): Promise<void> {
    this.#next ??= this.#readNext();
    return this.#next;
  }

  async #readNext(): Promise<void> {
    // Whoever waits for it hears how it went.
    await this.#underWay?.catch(() => {});
    await this.#rest();
    this.#next = undefined;
    this.#begunAtMs = this.#clock.monotonicMs();
    this.#underWay = this.#read();
    await this.#underWay;
  }

  async #rest(): Promise<void> {
    for (;;) {
      const leftMs = this.#begunAtMs + restMs - this.#clock.monotonicMs();
      if (!(leftMs > 0)) return;
      await new Promise<void>((resolve) => this.#clock.setTimer(Math.ceil(leftMs), resolve));
    }
  }
}
