import type { CardOrder, PaymentOrder } from './ledger.ts';

/**
 * Whoever charges cards. A payment is charged under its own id, which the gateway takes as idempotency key:
 * the same call again is answered as the first was, and charges nothing more.
 *
 * A call never rejects and always ends within the adapter's time limit. What is not known is said to be
 * `unknown`, and is asked for again.
 */
export interface CardGateway {
  /** Whether a new payment would be sent on: `overloaded` by calls under way, or `unavailable` of late. */
  readonly standing: 'ready' | 'overloaded' | 'unavailable';

  charge(order: CardOrder): Promise<CardAnswer>;

  /**
   * Makes sure that a charge whose answer never came will not be made later: takes its idempotency key for a
   * call that charges nothing. `begun`: the charge was there first; `charge` tells what came of it.
   */
  void(order: CardOrder): Promise<VoidAnswer>;

  /**
   * Looks for a charge that may be older than the gateway's memory of idempotency keys. `none` is said of
   * what has arrived by then; a charge that is still on its way, a void keeps out.
   */
  find(order: CardOrder): Promise<FindAnswer>;

  /** Gives a charge back, once, however often it is called. @param reference of the approval. */
  refund(order: PaymentOrder, reference: string): Promise<RefundAnswer>;
}

/** A node that takes no cards. One that has payments by card left over from before says so, and waits. */
export const noGateway: CardGateway = {
  standing: 'unavailable',
  charge: async () => ({ kind: 'not-sent', reason: noGatewayReason }),
  void: async () => ({ kind: 'unknown', reason: noGatewayReason }),
  find: async () => ({ kind: 'unknown', reason: noGatewayReason }),
  refund: async () => ({ kind: 'unknown', reason: noGatewayReason }),
};

const noGatewayReason = 'this node has no card gateway';

export type CardAnswer =
  | { readonly kind: 'approved'; readonly reference: string }
  | { readonly kind: 'declined'; readonly declineCode: string }
  /** Not charged by this call: it was not sent, or was refused before it was looked at. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

export type VoidAnswer =
  | { readonly kind: 'voided' }
  | { readonly kind: 'begun' }
  | { readonly kind: 'unknown'; readonly reason: string };

export type FindAnswer =
  | { readonly kind: 'approved'; readonly reference: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly reason: string };

export type RefundAnswer =
  | { readonly kind: 'refunded'; readonly reference: string }
  /** `reason` is for people: asking again may help only when they have done something. */
  | { readonly kind: 'unknown'; readonly reason: string };
