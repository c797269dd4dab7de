import type { IdempotencyKey, ReservationNumber, UserId } from './ids.ts';
import type { PaymentFailure, PaymentMethod } from './payment.ts';

/**
 * What happened to a schedule. Events are the journal: their JSON is stored, replayed and published, so a
 * field is never renamed or given another meaning. `seq` is gapless from 1 per schedule (I6).
 */
interface EventBase {
  readonly seq: number;
  readonly atMs: number;
}

/** The mark of the request that caused an event, when its sender may ask for the same answer again (I8). */
export interface IdempotencyMark {
  readonly key: IdempotencyKey;
  /** 53-bit hash of the meaning of the request's body. */
  readonly fingerprint: number;
}

export interface HeldEvent extends EventBase {
  readonly type: 'held';
  readonly number: ReservationNumber;
  readonly userId: UserId;
  readonly seats: readonly number[];
  readonly totalMinor: number;
  readonly expiresAtMs: number;
  readonly idempotency?: IdempotencyMark;
}

export interface ExtendedEvent extends EventBase {
  readonly type: 'extended';
  readonly number: ReservationNumber;
  readonly expiresAtMs: number;
  readonly idempotency?: IdempotencyMark;
}

export interface CancelledEvent extends EventBase {
  readonly type: 'cancelled';
  readonly number: ReservationNumber;
}

export interface ExpiredEvent extends EventBase {
  readonly type: 'expired';
  readonly number: ReservationNumber;
}

/** S0: the reservation waits for its money. The payment is named by this event's seq. */
export interface PayingEvent extends EventBase {
  readonly type: 'paying';
  readonly number: ReservationNumber;
  readonly method: PaymentMethod;
  /** What the hold had left. */
  readonly holdLeftMs: number;
  /** The reservation ends here if it is not paid by then. */
  readonly expiresAtMs: number;
  readonly idempotency?: IdempotencyMark;
}

/** S2. */
export interface PaidEvent extends EventBase {
  readonly type: 'paid';
  readonly number: ReservationNumber;
  readonly paymentSeq: number;
  /** Of the request that began the payment: only now has it succeeded (I8). */
  readonly idempotency?: IdempotencyMark;
}

/** S2, when the money is not there: the hold is back, or the reservation had ended and its payment is over. */
export interface PaymentFailedEvent extends EventBase {
  readonly type: 'payment-failed';
  readonly number: ReservationNumber;
  readonly paymentSeq: number;
  readonly failure: PaymentFailure;
  /** Of the hold that is back; absent when the reservation had ended. */
  readonly expiresAtMs?: number;
}

interface BlockedEvent extends EventBase {
  readonly type: 'blocked';
  readonly seats: readonly number[];
}

interface UnblockedEvent extends EventBase {
  readonly type: 'unblocked';
  readonly seats: readonly number[];
}

export type ScheduleEvent =
  | HeldEvent
  | ExtendedEvent
  | CancelledEvent
  | ExpiredEvent
  | PayingEvent
  | PaidEvent
  | PaymentFailedEvent
  | BlockedEvent
  | UnblockedEvent;

export type ScheduleEventType = ScheduleEvent['type'];
