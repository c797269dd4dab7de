import type { IdempotencyMark } from './event.ts';

/** How a reservation is paid: from the user's points, one point a minor unit, or by a card at the gateway. */
export const paymentMethods = ['points', 'card'] as const;
export type PaymentMethod = (typeof paymentMethods)[number];

/** A hold that a payment gives back has this long at least, so that its user can try once more. */
export const holdFloorMs = 30_000;

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

/** Why a payment came to nothing. */
export type PaymentFailure =
  | { readonly reason: 'insufficient-points' }
  /** By the gateway, with its own word for the reason. */
  | { readonly reason: 'declined'; readonly declineCode: string }
  /** It was never tried: the process died first, or the gateway could not be asked. */
  | { readonly reason: 'cancelled' }
  /** Approved when the seats were gone, and given back. */
  | { readonly reason: 'refunded' };
