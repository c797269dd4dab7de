import type { Clock } from './ports.ts';

const againAfterMs = 60_000;
const kindsMax = 100;

/**
 * Lets the same notice for people through once a minute: what is down fails several times a second. Notices that differ
 * in their numbers only are the same, so that somebody who knocks from a thousand ports fills no log.
 */
export class NoticeLimiter {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** When each was let through; the oldest first. */
  readonly #toldAtMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Whether to tell it now. @param subject what it is about: the same of another subject is another notice. */
  admits(notice: string, subject = ''): boolean {
    const key = `${subject} ${notice.replaceAll(/\d+/g, '#')}`;
    const nowMs = this.#clock.monotonicMs();
    const toldAtMs = this.#toldAtMs.get(key);
    if (toldAtMs !== undefined && nowMs - toldAtMs < againAfterMs) return false;
    this.#toldAtMs.delete(key);
    this.#toldAtMs.set(key, nowMs);
    const [oldest] = this.#toldAtMs.keys();
    if (this.#toldAtMs.size > kindsMax && oldest !== undefined) this.#toldAtMs.delete(oldest);
    return true;
  }
}
