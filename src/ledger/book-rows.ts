import type { IdempotencyKey, PaymentId, UserId } from '../actors/allocator/ids.ts';
import type { EntryKind, PaymentOrder, PaymentStatus } from '../actors/runtime/ledger.ts';

/** What a book keeps, a type a table, and how a batch reads and changes it. */

export interface StoredPayment extends PaymentOrder {
  readonly status: PaymentStatus;
  readonly declineCode: string | undefined;
  /** While it is PENDING. */
  readonly cardToken: string | undefined;
  readonly reference: string | undefined;
  readonly refundReference: string | undefined;
  /** By another driver than the one that began it. */
  readonly isTakenOver: boolean;
  readonly createdAtMs: number;
  readonly settledAtMs: number | undefined;
  readonly refundedAtMs: number | undefined;
}

export interface StoredEntry {
  readonly entryId: number;
  readonly userId: UserId;
  readonly kind: EntryKind;
  readonly amount: number;
  readonly balanceAfter: number;
  /** Of a payment and its refund. */
  readonly order: PaymentOrder | undefined;
  readonly atMs: number;
}

/** A charge that is remembered by its key. */
export interface StoredMark {
  readonly userId: UserId;
  readonly key: IdempotencyKey;
  readonly fingerprint: number;
  readonly entryId: number;
  /** Of the entry. */
  readonly balanceAfter: number;
  readonly atMs: number;
}

/** What is stored, as a batch finds it. Each row is asked for once a batch. */
export interface BookRows {
  /** 0 for an account that was never charged. */
  balanceOf(userId: UserId): number;
  findPayment(paymentId: PaymentId): StoredPayment | undefined;
  findMark(userId: UserId, key: IdempotencyKey): StoredMark | undefined;
  /**
   * The one before the first that this batch gives; 0 when there is none. A book whose database gives the numbers
   * lets the batch give some of its own for a while (provisional-entry-ids.ts).
   */
  lastEntryId(): number;
}

/** What a batch changes, each row once. */
export interface BookChanges {
  /** In the order of users. */
  readonly balances: readonly (readonly [UserId, number])[];
  readonly entries: readonly StoredEntry[];
  readonly newPayments: readonly StoredPayment[];
  readonly changedPayments: readonly StoredPayment[];
  /** New, or in place of one that is too old. */
  readonly marks: readonly StoredMark[];
  /** Marks older than this are of no use any more. */
  readonly marksOfUseSinceMs: number;
}
