import type Stripe from 'stripe';
import { formatReservationId, type PaymentId } from '../../actors/allocator/ids.ts';
import type { CardOrder, PaymentOrder } from '../../actors/runtime/ledger.ts';

/**
 * What Stripe is asked, and under which idempotency key.
 *
 * R1 The key and the parameters of a charge follow from its order and the installation alone, today and
 *    tomorrow: Stripe answers a key again only for the very same parameters, and a charge whose answer was
 *    lost is asked for again. The installation is part of them because installations that share an account
 *    (staging and production, or one before and after its data was wiped) make the same payment ids, and
 *    must neither hear each other's answers nor find each other's charges.
 * R2 A void has the key of its charge and other parameters, which charge nothing.
 * R3 A search asks for what a charge carries and a void never reaches: both names, and `succeeded`.
 *
 * Why R2 makes a void sound: Stripe gives a key to the first request that comes with it, and refuses a later
 * one with other parameters (`idempotency_error`), for at least 24 hours. So of a charge and its void one is
 * carried out and the other refused, in whatever order they arrive, and each hears which. A request that was
 * refused before Stripe began with it leaves the key free; it has charged nothing either. A void that is
 * called again has the same parameters as before, and is answered as before.
 * https://docs.stripe.com/api/idempotent_requests
 *
 * Beyond these 24 hours a key may be forgotten, and a void alone proves nothing: R3 finds what is older. It
 * in turn does not see the latest (for a minute, or an hour during an outage), whose keys are remembered. So
 * a search that finds nothing, and then a void that was carried out, prove that nothing was charged.
 * https://docs.stripe.com/api/payment_intents/search
 */
export const chargeKey = ({ installationId, paymentId }: PaymentName): string =>
  `${installationId}-${paymentId}`;
export const refundKey = (name: PaymentName): string => `${chargeKey(name)}-refund`;

/** What tells a payment from every other one of the account. */
export interface PaymentName {
  readonly paymentId: PaymentId;
  /** Letters and digits, as `isInstallationId` has it. */
  readonly installationId: string;
}

/** An order, and whose it is. */
export type Installed<Order extends PaymentOrder> = Order & PaymentName;

/** Fit for a key, and for a query's quotes. */
export const isInstallationId = (text: string): boolean => /^[a-z0-9]{8,32}$/.test(text);

export const chargeParameters = (order: Installed<CardOrder>): Stripe.PaymentIntentCreateParams => ({
  ...moneyOf(order),
  payment_method: order.cardToken,
  // Cards only, whatever the account's dashboard offers: nothing else is decided within the call.
  allowed_payment_method_types: ['card'],
  confirm: true,
  // Nobody is there who could be asked for another factor: a card that wants one is declined.
  error_on_requires_action: true,
  metadata: metadataOf(order),
});

export const voidParameters = (order: Installed<CardOrder>): Stripe.PaymentIntentCreateParams => ({
  ...moneyOf(order),
  allowed_payment_method_types: ['card'],
  confirm: false,
  metadata: { ...metadataOf(order), void: 'true' },
});

/**
 * Stripe's amounts are in minor units as ours are, of ISO 4217, but for these: they have no minor unit any more,
 * and Stripe goes on counting them in hundredths. https://docs.stripe.com/currencies#special-cases
 */
const stripeUnitsPerMinor: ReadonlyMap<string, number> = new Map([
  ['isk', 100],
  ['ugx', 100],
]);

function moneyOf({ amountMinor, currency }: PaymentOrder): { amount: number; currency: string } {
  const code = currency.toLowerCase();
  return { amount: amountMinor * (stripeUnitsPerMinor.get(code) ?? 1), currency: code };
}

/** All of it; Stripe gives no more back than was charged. */
export const refundParameters = (
  order: Installed<PaymentOrder>,
  reference: string,
): Stripe.RefundCreateParams => ({
  payment_intent: reference,
  metadata: metadataOf(order),
});

/** A charge that was given back has succeeded all the same. */
export const findParameters = ({
  paymentId,
  installationId,
}: PaymentName): Stripe.PaymentIntentSearchParams => ({
  query: `metadata['paymentId']:'${paymentId}' AND metadata['installationId']:'${installationId}' AND status:'succeeded'`,
  limit: 1,
});

const metadataOf = (order: Installed<PaymentOrder>): Record<string, string> => ({
  paymentId: order.paymentId,
  installationId: order.installationId,
  reservationId: formatReservationId(order.scheduleId, order.number),
  userId: order.userId,
});
