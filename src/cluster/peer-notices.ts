import type { Clock } from '../actors/runtime/ports.ts';

/** For people, about connections between nodes. */
export interface PeerNotice {
  readonly level: 'info' | 'warn';
  readonly message: string;
}

const againAfterMs = 60_000;
const kindsMax = 100;

/**
 * Passes the same notice on once a minute: who fails does it several times a second. Notices that differ in their
 * numbers only are the same, so that somebody who knocks from a thousand ports fills no log.
 */
export class PeerNotices {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #tell: (notice: PeerNotice) => void;
  /** When each was told; the oldest first. */
  readonly #toldAtMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, tell: (notice: PeerNotice) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** @param subject what the notice is about, so that the same of another subject is told as well. */
  warn(message: string, subject = ''): void {
    const key = `${subject} ${message.replaceAll(/\d+/g, '#')}`;
    const nowMs = this.#clock.monotonicMs();
    const toldAtMs = this.#toldAtMs.get(key);
    if (toldAtMs !== undefined && nowMs - toldAtMs < againAfterMs) return;
    this.#toldAtMs.delete(key);
    this.#toldAtMs.set(key, nowMs);
    const [oldest] = this.#toldAtMs.keys();
    if (this.#toldAtMs.size > kindsMax && oldest !== undefined) this.#toldAtMs.delete(oldest);
    this.#tell({ level: 'warn', message });
  }
}
