import type { IdempotencyMark } from './event.ts';
import type { ReservationNumber, UserId } from './ids.ts';
import type { PaymentFailure, PaymentMethod } from './payment.ts';

/**
 * What somebody wants of a schedule. The actor stamps `nowMs` once; a command never meets a clock.
 * `nowMs` never goes back between two commands of one actor.
 */
interface CommandBase {
  readonly nowMs: number;
}

export interface HoldCommand extends CommandBase {
  readonly kind: 'hold';
  readonly userId: UserId;
  readonly seatIds: readonly string[];
  readonly idempotency?: IdempotencyMark;
}

export interface HoldBestCommand extends CommandBase {
  readonly kind: 'hold-best';
  readonly userId: UserId;
  readonly quantity: number;
  readonly category?: string;
  readonly section?: string;
  readonly adjacent: boolean;
  readonly idempotency?: IdempotencyMark;
}

export interface ExtendCommand extends CommandBase {
  readonly kind: 'extend';
  readonly userId: UserId;
  readonly number: ReservationNumber;
  readonly idempotency?: IdempotencyMark;
}

export interface CancelCommand extends CommandBase {
  readonly kind: 'cancel';
  readonly userId: UserId;
  readonly number: ReservationNumber;
}

/** S0 of a payment: the hold waits for its money, and does not expire as a hold any more. */
export interface PayCommand extends CommandBase {
  readonly kind: 'pay';
  readonly userId: UserId;
  readonly number: ReservationNumber;
  readonly method: PaymentMethod;
  readonly idempotency?: IdempotencyMark;
}

/** S2 of a payment: what the ledger says. Comes from inside, after S1 is on disk. */
export interface SettlePaymentCommand extends CommandBase {
  readonly kind: 'settle-payment';
  readonly number: ReservationNumber;
  /** seq of the payment's `paying` event. */
  readonly paymentSeq: number;
  readonly result: { readonly reason: 'approved' } | PaymentFailure;
}

/** Ends every hold that is due; the actor sends it before anything else that it stamps later (I6). */
export interface ExpireCommand extends CommandBase {
  readonly kind: 'expire';
}

export interface BlockCommand extends CommandBase {
  readonly kind: 'block';
  readonly seatIds: readonly string[];
}

export interface UnblockCommand extends CommandBase {
  readonly kind: 'unblock';
  readonly seatIds: readonly string[];
}

export type Command =
  | HoldCommand
  | HoldBestCommand
  | ExtendCommand
  | CancelCommand
  | PayCommand
  | SettlePaymentCommand
  | ExpireCommand
  | BlockCommand
  | UnblockCommand;

/** A command before the actor stamps it. */
export type Intent = Command extends infer C ? (C extends Command ? Omit<C, 'nowMs'> : never) : never;
