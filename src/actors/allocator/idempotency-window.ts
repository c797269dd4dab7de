import type { IdempotencyMark } from './event.ts';
import type { ReservationNumber, UserId } from './ids.ts';

/** How long the first success of a request is remembered. Part of the contract (I8). */
export const idempotencyWindowMs = 24 * 60 * 60 * 1000;

/** Stored as a small integer; the order is part of the schema and only ever grows. */
export const memoKinds = ['held', 'extended', 'paid', 'paying'] as const;

/**
 * What the first success was: enough to answer it again, word for word. `paying` is none yet: it keeps the
 * key for the payment that is under way, and goes when that has come to an end.
 */
export interface Memo {
  readonly kind: (typeof memoKinds)[number];
  readonly seq: number;
  readonly atMs: number;
  readonly fingerprint: number;
  readonly number: ReservationNumber;
  readonly expiresAtMs: number;
}

/**
 * The remembered requests of one schedule, by user and key (I8). State of the actor: filled by evolve, and
 * so the same after a restart. Forgetting follows the time of events, never a clock.
 */
export class IdempotencyWindow {
  /** In the order of atMs, which is the order of insertion. */
  readonly #memos = new Map<string, Memo>();
  /** Of the first one, or of one before it that was forgotten on its own; Infinity when there is none. */
  #oldestAtMs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#memos.size;
  }

  /** No memo is older; Infinity when there is none. */
  get oldestAtMs(): number {
    return this.#oldestAtMs;
  }

  find(userId: UserId, mark: IdempotencyMark, nowMs: number): Memo | undefined {
    const memo = this.#memos.get(entryKey(userId, mark));
    return memo !== undefined && memo.atMs + idempotencyWindowMs > nowMs ? memo : undefined;
  }

  /** Call forgetBefore first: a key that is remembered again must go to the end. */
  remember(userId: UserId, mark: IdempotencyMark, memo: Memo): void {
    if (this.#memos.size === 0) this.#oldestAtMs = memo.atMs;
    this.#memos.set(entryKey(userId, mark), memo);
  }

  /** For a request that has not succeeded after all: the memo of its event, not one that has the key since. */
  forget(userId: UserId, mark: IdempotencyMark, seq: number): void {
    const key = entryKey(userId, mark);
    if (this.#memos.get(key)?.seq === seq) this.#memos.delete(key);
  }

  forgetBefore(nowMs: number): void {
    if (this.#oldestAtMs + idempotencyWindowMs > nowMs) return;
    this.#oldestAtMs = Number.POSITIVE_INFINITY;
    for (const [key, memo] of this.#memos) {
      if (memo.atMs + idempotencyWindowMs > nowMs) {
        this.#oldestAtMs = memo.atMs;
        return;
      }
      this.#memos.delete(key);
    }
  }
}

/** Neither part can contain a space. */
const entryKey = (userId: UserId, mark: IdempotencyMark): string => `${userId} ${mark.key}`;
