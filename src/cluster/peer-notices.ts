import { NoticeLimiter } from '../actors/runtime/notice-limiter.ts';
import type { Clock } from '../actors/runtime/ports.ts';

/** For people, about connections between nodes: that something does not work. */
export interface PeerNotice {
  readonly message: string;
}

/** Passes notices on, the same one once a minute. */
export class PeerNotices {
  readonly #limiter: NoticeLimiter;
  readonly #tell: (notice: PeerNotice) => void;

  constructor(clock: Pick<Clock, 'monotonicMs'>, tell: (notice: PeerNotice) => void) {
    this.#limiter = new NoticeLimiter(clock);
    this.#tell = tell;
  }

  /** @param subject as NoticeLimiter. */
  warn(message: string, subject?: string): void {
    if (this.#limiter.admits(message, subject)) this.#tell({ message });
  }
}
