import { assert } from '../../actors/allocator/assert.ts';
import type { IdempotencyKey, PaymentId, UserId } from '../../actors/allocator/ids.ts';
import { markName } from '../batch.ts';
import type { BookRows, StoredMark, StoredPayment } from '../book-rows.ts';
import { fromPaymentRow, type PaymentRow } from '../payment-columns.ts';
import { entryIdBeforeProvisional } from './provisional-entry-ids.ts';

export type AccountRow = [userId: UserId, balance: number];

export type MarkRow = [
  name: string,
  fingerprint: number,
  entryId: number,
  balanceAfter: number,
  atMs: number,
];

/** The rows that a batch holds, as decideBatch reads them. Lives for one transaction. */
export class LockedRows implements BookRows {
  readonly #balances: ReadonlyMap<UserId, number>;
  readonly #payments = new Map<PaymentId, StoredPayment>();
  readonly #marks: ReadonlyMap<string, MarkRow>;

  constructor(accounts: readonly AccountRow[], payments: readonly PaymentRow[], marks: readonly MarkRow[]) {
    this.#balances = new Map(accounts);
    for (const row of payments) this.#payments.set(row[0], fromPaymentRow(row));
    this.#marks = new Map(marks.map((row) => [row[0], row]));
  }

  /** Only of an account that is there: what a batch may change it holds. */
  balanceOf(userId: UserId): number {
    const balance = this.#balances.get(userId);
    assert(balance !== undefined, `the batch holds the account of ${userId}`);
    return balance;
  }

  findPayment(paymentId: PaymentId): StoredPayment | undefined {
    return this.#payments.get(paymentId);
  }

  findMark(userId: UserId, key: IdempotencyKey): StoredMark | undefined {
    const row = this.#marks.get(markName(userId, key));
    if (row === undefined) return undefined;
    const [, fingerprint, entryId, balanceAfter, atMs] = row;
    return { userId, key, fingerprint, entryId, balanceAfter, atMs };
  }

  lastEntryId(): number {
    return entryIdBeforeProvisional;
  }
}
