import type { PaymentId, ReservationNumber, ScheduleId, UserId } from '../allocator/ids.ts';
import type { Rejection } from '../allocator/rejection.ts';
import type { ReservationStatus } from '../allocator/reservation.ts';
import type { BegunPayment } from './begun-payment.ts';

/**
 * What a command or a read came to. It is handed to the reply only when everything it rests on is durable
 * (I2, I9): an outcome in hand may be shown.
 */
export type Outcome =
  /** `replayed`: this is the first success again, word for word (I8). */
  | { readonly kind: 'reservation'; readonly view: ReservationView; readonly replayed: boolean }
  /** S0 of payments.ts: a payment has begun, or is under way already. Never leaves the runtime. */
  | {
      readonly kind: 'payment-begun' | 'payment-joined';
      readonly begun: BegunPayment;
      readonly view: ReservationView;
    }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'blocks-changed'; readonly seatIds: readonly string[]; readonly seq: number }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }
  /** `isUntouched`: it has certainly not begun, and may be sent elsewhere even if it has no key. */
  | {
      readonly kind: 'unavailable';
      readonly code: UnavailableCode;
      readonly retryAfterSeconds: number;
      readonly isUntouched?: true;
    };

/** The request changed nothing that it could see; it may be sent again, with the same key. */
export type UnavailableCode =
  | 'overloaded'
  | 'store-unavailable'
  | 'shard-moving'
  | 'not-ready'
  | 'gateway-unavailable';

export const unavailable = (code: UnavailableCode): Outcome & { readonly kind: 'unavailable' } => ({
  kind: 'unavailable',
  code,
  // A gateway that failed is left alone for a while.
  retryAfterSeconds: code === 'gateway-unavailable' ? 5 : 1,
});

/** As `unavailable`, of what nobody has begun with. */
export const untouched = (code: UnavailableCode): Outcome => ({ ...unavailable(code), isUntouched: true });

export type Reply = (outcome: Outcome) => void;

/** A reservation as of one durable moment. Never changes afterwards. */
export interface ReservationView {
  readonly scheduleId: ScheduleId;
  readonly number: ReservationNumber;
  readonly userId: UserId;
  readonly status: ReservationStatus;
  /** Ordinals in the venue's layout. */
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly heldAtMs: number;
  readonly expiresAtMs: number;
  /** 0 while it is live. */
  readonly endedAtMs: number;
  /** 0 unless PAID. */
  readonly paidAtMs: number;
  /** Of the payment that is under way or was approved. */
  readonly paymentId?: PaymentId;
  /** The moment the view tells of: expiresInSeconds counts from here. */
  readonly asOfMs: number;
  readonly seq: number;
}

/** Counts of one schedule as of one durable seq: free + held + paying + paid + blocked = capacity (I11). */
export interface ScheduleCounts {
  readonly seq: number;
  readonly capacity: number;
  readonly free: number;
  readonly held: number;
  readonly paying: number;
  readonly paid: number;
  readonly blocked: number;
}

export interface AuditCheck {
  readonly invariant: string;
  readonly ok: boolean;
  readonly detail: string;
}
