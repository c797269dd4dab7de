import type { Clock } from '../../actors/runtime/ports.ts';
import type { PublisherNotice } from './publisher-notice.ts';

const againAfterMs = 60_000;
const kindsMax = 50;

/**
 * Passes the same notice on once a minute: a broker that is down fails several times a second. Notices that differ
 * in their numbers only are the same.
 */
export class NoticeLimiter {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #tell: (notice: PublisherNotice) => void;
  /** When each was told; the oldest first. */
  readonly #toldAtMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, tell: (notice: PublisherNotice) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  tell(notice: PublisherNotice): void {
    const key = JSON.stringify(notice).replaceAll(/\d+/g, '#');
    const nowMs = this.#clock.monotonicMs();
    const toldAtMs = this.#toldAtMs.get(key);
    if (toldAtMs !== undefined && nowMs - toldAtMs < againAfterMs) return;
    this.#toldAtMs.delete(key);
    this.#toldAtMs.set(key, nowMs);
    const [oldest] = this.#toldAtMs.keys();
    if (this.#toldAtMs.size > kindsMax && oldest !== undefined) this.#toldAtMs.delete(oldest);
    this.#tell(notice);
  }
}
