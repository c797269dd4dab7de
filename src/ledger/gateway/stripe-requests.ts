import type Stripe from 'stripe';
import { formatReservationId } from '../../actors/allocator/ids.ts';
import type { CardOrder, PaymentOrder } from '../../actors/runtime/ledger.ts';

/**
 * What Stripe is asked, and under which idempotency key.
 *
 * R1 The parameters of a charge follow from its order alone, today and tomorrow: Stripe answers a key again
 *    only for the very same parameters, and a charge whose answer was lost is asked for again.
 * R2 A void has the key of its charge and other parameters, which charge nothing.
 *
 * Why R2 makes a void sound: Stripe gives a key to the first request that comes with it, and refuses a later
 * one with other parameters (`idempotency_error`), for at least 24 hours. So of a charge and its void one is
 * carried out and the other refused, in whatever order they arrive, and each hears which. A request that was
 * refused before Stripe began with it leaves the key free; it has charged nothing either. A void that is
 * called again has the same parameters as before, and is answered as before.
 * https://docs.stripe.com/api/idempotent_requests
 *
 * Beyond these 24 hours a key may be forgotten, and a void proves nothing: callers settle a charge before.
 */
export const chargeKey = ({ paymentId }: PaymentOrder): string => paymentId;
export const refundKey = ({ paymentId }: PaymentOrder): string => `${paymentId}-refund`;

export const chargeParameters = (order: CardOrder): Stripe.PaymentIntentCreateParams => ({
  amount: order.amountMinor,
  currency: order.currency.toLowerCase(),
  payment_method: order.cardToken,
  // Cards only, whatever the account's dashboard offers: nothing else is decided within the call.
  allowed_payment_method_types: ['card'],
  confirm: true,
  // Nobody is there who could be asked for another factor: a card that wants one is declined.
  error_on_requires_action: true,
  metadata: metadataOf(order),
});

export const voidParameters = (order: CardOrder): Stripe.PaymentIntentCreateParams => ({
  amount: order.amountMinor,
  currency: order.currency.toLowerCase(),
  allowed_payment_method_types: ['card'],
  confirm: false,
  metadata: { ...metadataOf(order), void: 'true' },
});

/** All of it; Stripe gives no more back than was charged. */
export const refundParameters = (order: PaymentOrder, reference: string): Stripe.RefundCreateParams => ({
  payment_intent: reference,
  metadata: metadataOf(order),
});

const metadataOf = (order: PaymentOrder): Record<string, string> => ({
  paymentId: order.paymentId,
  reservationId: formatReservationId(order.scheduleId, order.number),
  userId: order.userId,
});
