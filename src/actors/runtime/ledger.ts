import type { IdempotencyMark } from '../allocator/event.ts';
import type { PaymentId, ReservationNumber, ScheduleId, UserId } from '../allocator/ids.ts';
import type { PaymentMethod } from '../allocator/payment.ts';

/**
 * Money: accounts of points, their entries, and payments. The port that src/ledger implements; test/contract
 * runs one suite against each implementation.
 *
 * A call resolves when what it answers is on disk. Every call that writes may be made again with the same
 * order or mark: it takes effect once, and answers what the first one did (I4). Times are milliseconds since
 * the epoch, amounts are integers: one point is one minor unit.
 */
export interface Ledger {
  /** No room for another call: a payment that began now would have to wait too long. */
  readonly isOverloaded: boolean;

  /** Its last transactions have failed, one after another, a moment ago: a payment that began now would wait. */
  readonly isFailing: boolean;

  /** Adds points to an account, made on first use. The mark is remembered for 24 h after `atMs` (I8). */
  charge(charge: PointsCharge): Promise<ChargeOutcome>;

  /**
   * S1 of a payment by points: debits the account if it has enough. APPROVED, DECLINED
   * (`insufficient-points`, with the balance), or what the payment has become before.
   */
  payByPoints(order: PaymentOrder, atMs: number): Promise<PaymentRecord>;

  /** First half of S1 by card, before the gateway is called: PENDING, or what the payment has become before. */
  openCardPayment(order: CardOrder, atMs: number): Promise<PaymentRecord>;

  /** Second half: what the gateway said. A payment that is no longer PENDING stays as it is. */
  closeCardPayment(order: PaymentOrder, result: CardResult, atMs: number): Promise<PaymentRecord>;

  /**
   * What has become of a payment, for another driver than the one that began it. One that the ledger has
   * never heard of is CANCELLED from now on, so that an S1 that is still on its way collides with it; one
   * that is PENDING is taken over.
   */
  cancelUnlessBegun(order: PaymentOrder, atMs: number): Promise<PaymentRecord>;

  /**
   * Gives an APPROVED payment back, once: REFUNDED. Points return to the account; for a card it records that
   * the gateway has refunded (`reference`). Any other payment stays as it is.
   */
  refund(order: PaymentOrder, atMs: number, reference?: string): Promise<PaymentRecord>;

  /** Waits for the calls that are under way, then releases files and threads. */
  close(): Promise<void>;
}

/** What people look at: reads of what is committed. A cache may stand before it. */
export interface PointsReader {
  /** 0 for an account that was never charged. */
  balanceOf(userId: UserId): Promise<number>;
  /** The user's own, newest first. */
  listEntries(query: EntryQuery): Promise<EntryPage>;
}

/** The ledger's side of a schedule's audit, from one consistent view. */
export interface LedgerAuditor {
  auditSchedule(scheduleId: ScheduleId): Promise<LedgerAudit>;
}

/** No room: nothing took effect. */
export class LedgerOverloaded extends Error {
  override name = 'LedgerOverloaded';
}

/** The call contradicts what is stored: a bug, or files that do not belong together. Nothing took effect. */
export class LedgerRefused extends Error {
  override name = 'LedgerRefused';
}

/** No answer within the time limit: the call took effect or it did not. Asking again is harmless. */
export class LedgerUnavailable extends Error {
  override name = 'LedgerUnavailable';
}

export interface PointsCharge {
  readonly userId: UserId;
  /** From 1. */
  readonly amount: number;
  readonly mark: IdempotencyMark;
  readonly atMs: number;
}

export type ChargeOutcome =
  | {
      readonly kind: 'charged';
      readonly entryId: number;
      readonly balance: number;
      readonly replayed: boolean;
    }
  /** The key belongs to another charge of this user. */
  | { readonly kind: 'key-reused' }
  /** The balance would leave the safe integers. */
  | { readonly kind: 'balance-limit' };

/** What is to be paid, by whom and for what: from the actor, never from a request. */
export interface PaymentOrder {
  readonly paymentId: PaymentId;
  readonly scheduleId: ScheduleId;
  readonly number: ReservationNumber;
  readonly userId: UserId;
  readonly method: PaymentMethod;
  readonly amountMinor: number;
  /** ISO 4217. */
  readonly currency: string;
}

export interface CardOrder extends PaymentOrder {
  readonly method: 'card';
  /** The gateway's name for the card; kept until the payment is decided. */
  readonly cardToken: string;
}

export type CardResult =
  /** `reference`: the gateway's name for the charge. */
  | { readonly status: 'APPROVED'; readonly reference: string }
  | { readonly status: 'DECLINED'; readonly declineCode: string }
  /**
   * No charge was made, and none will be. `unlessTakenOver`: the driver that began the payment knows this only
   * of its own calls; where another one has come in since, and may have charged, it stays PENDING.
   */
  | { readonly status: 'CANCELLED'; readonly unlessTakenOver?: true };

/** Stored as a small integer; the order is part of the schema and only ever grows. */
export const paymentStatuses = ['PENDING', 'APPROVED', 'DECLINED', 'CANCELLED', 'REFUNDED'] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];

export interface PaymentRecord {
  readonly paymentId: PaymentId;
  readonly status: PaymentStatus;
  /** When the ledger first heard of it. */
  readonly createdAtMs: number;
  /** Of DECLINED. */
  readonly declineCode?: string;
  /** Of PENDING. */
  readonly cardToken?: string;
  /** Of a card that was charged. */
  readonly reference?: string;
  /** Of a payment by points: the account as it is now. */
  readonly balance?: number;
}

export const insufficientPoints = 'insufficient-points';

export const entryKinds = ['charge', 'payment', 'refund'] as const;
export type EntryKind = (typeof entryKinds)[number];

/** A change of an account. The balance is the sum of the amounts (I4). */
export interface PointsEntry {
  /** Rises with time within an account. */
  readonly entryId: number;
  readonly kind: EntryKind;
  /** Negative for a payment. */
  readonly amount: number;
  readonly balanceAfter: number;
  /** Of a payment and its refund. */
  readonly reservation?: { readonly scheduleId: ScheduleId; readonly number: ReservationNumber };
  readonly atMs: number;
}

export interface EntryQuery {
  readonly userId: UserId;
  readonly limit: number;
  /** Only entries older than this one: where the page before ended. */
  readonly beforeEntryId?: number;
}

export interface EntryPage {
  readonly entries: readonly PointsEntry[];
  readonly hasMore: boolean;
}

export interface LedgerAudit {
  /** Every payment of the schedule that is not CANCELLED or DECLINED. */
  readonly payments: readonly AuditedPayment[];
  /** Accounts of the schedule's payers that break I4, a line each. */
  readonly accountFaults: readonly string[];
  readonly accountsChecked: number;
}

export interface AuditedPayment {
  readonly paymentId: PaymentId;
  readonly number: ReservationNumber;
  readonly userId: UserId;
  readonly amountMinor: number;
  readonly status: PaymentStatus;
}
