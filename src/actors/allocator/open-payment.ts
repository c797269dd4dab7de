import type { IdempotencyMark } from './event.ts';
import type { PaymentMethod } from './payment.ts';

/**
 * The newest payment of a reservation. Never changes; evolve replaces it.
 *
 * It is open from `paying` on until `paid`, or until `payment-failed` takes it away. A reservation that
 * expires meanwhile keeps it: money may still have to be given back, and that is not forgotten (I5).
 */
export interface Payment {
  /** seq of its `paying` event, which names it within the schedule. */
  readonly seq: number;
  /** 0 while it is open. */
  readonly paidAtMs: number;
  readonly open: OpenPayment | undefined;
}

export interface OpenPayment {
  readonly method: PaymentMethod;
  /** What the hold had left when the payment began. */
  readonly holdLeftMs: number;
  readonly idempotency: IdempotencyMark | undefined;
}
