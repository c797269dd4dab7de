import type { IdempotencyKey, PaymentId, UserId } from '../actors/allocator/ids.ts';
import type { EntryKind, PaymentOrder } from '../actors/runtime/ledger.ts';
import { BatchRefused } from './book.ts';
import type { BookChanges, BookRows, StoredEntry, StoredMark, StoredPayment } from './book-rows.ts';

/**
 * The state that the operations of one batch see and change, on top of what is stored. Each row is read once
 * and written once a batch, however many operations touch it. Lives for one transaction: nothing that was
 * read in one is believed in the next, because another thread may have written meanwhile.
 *
 * I4: a balance changes together with its entry, here and nowhere else, and is never negative.
 */
export class Batch {
  readonly #rows: BookRows;
  readonly #balances = new Map<UserId, number>();
  readonly #changedBalances = new Map<UserId, number>();
  readonly #payments = new Map<PaymentId, StoredPayment>();
  readonly #newPayments = new Set<PaymentId>();
  readonly #changedPayments = new Set<PaymentId>();
  readonly #marks = new Map<string, StoredMark>();
  readonly #entries: StoredEntry[] = [];
  #lastEntryId: number | undefined;

  constructor(rows: BookRows) {
    this.#rows = rows;
  }

  balanceOf(userId: UserId): number {
    let balance = this.#balances.get(userId);
    if (balance === undefined) {
      balance = this.#rows.balanceOf(userId);
      this.#balances.set(userId, balance);
    }
    return balance;
  }

  /** Writes an entry and moves the balance by its amount. */
  post(userId: UserId, kind: EntryKind, amount: number, atMs: number, order?: PaymentOrder): StoredEntry {
    const balanceAfter = this.balanceOf(userId) + amount;
    if (balanceAfter < 0 || balanceAfter > Number.MAX_SAFE_INTEGER) {
      throw new BatchRefused(`a ${kind} of ${amount} would leave ${userId} a balance of ${balanceAfter}`);
    }
    this.#lastEntryId ??= this.#rows.lastEntryId();
    this.#lastEntryId += 1;
    const entry = { entryId: this.#lastEntryId, userId, kind, amount, balanceAfter, order, atMs };
    this.#entries.push(entry);
    this.#balances.set(userId, balanceAfter);
    this.#changedBalances.set(userId, balanceAfter);
    return entry;
  }

  findPayment(paymentId: PaymentId): StoredPayment | undefined {
    const known = this.#payments.get(paymentId);
    if (known !== undefined) return known;
    const stored = this.#rows.findPayment(paymentId);
    if (stored !== undefined) this.#payments.set(paymentId, stored);
    return stored;
  }

  addPayment(payment: StoredPayment): void {
    this.#payments.set(payment.paymentId, payment);
    this.#newPayments.add(payment.paymentId);
  }

  changePayment(payment: StoredPayment): void {
    this.#payments.set(payment.paymentId, payment);
    if (!this.#newPayments.has(payment.paymentId)) this.#changedPayments.add(payment.paymentId);
  }

  findMark(userId: UserId, key: IdempotencyKey): StoredMark | undefined {
    return this.#marks.get(markName(userId, key)) ?? this.#rows.findMark(userId, key);
  }

  remember(mark: StoredMark): void {
    this.#marks.set(markName(mark.userId, mark.key), mark);
  }

  changes(marksOfUseSinceMs: number): BookChanges {
    const payment = (paymentId: PaymentId): StoredPayment => this.#payments.get(paymentId)!;
    return {
      balances: [...this.#changedBalances].sort(([left], [right]) => (left < right ? -1 : 1)),
      entries: this.#entries,
      newPayments: Array.from(this.#newPayments, payment),
      changedPayments: Array.from(this.#changedPayments, payment),
      marks: [...this.#marks.values()],
      marksOfUseSinceMs,
    };
  }
}

/** Neither part can contain a space. */
export const markName = (userId: UserId, key: IdempotencyKey): string => `${userId} ${key}`;
