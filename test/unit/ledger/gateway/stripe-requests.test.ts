import { expect, test } from 'vitest';
import {
  chargeParameters,
  refundParameters,
  voidParameters,
} from '../../../../src/ledger/gateway/stripe-requests.ts';
import { cardOrder } from './card-order.ts';

// Our minor units are those of ISO 4217; Stripe counts some currencies without any in hundredths.
test.each([
  ['EUR', 4_200],
  ['KWD', 4_200],
  ['JPY', 4_200],
  ['KRW', 4_200],
  ['ISK', 420_000],
  ['UGX', 420_000],
])('4,200 minor units in %s are %i of Stripe’s, of charge and void', (currency, amount) => {
  const order = { ...cardOrder('approve'), currency, installationId: 'theater0001' };
  const money = { amount, currency: currency.toLowerCase() };
  expect(chargeParameters(order)).toMatchObject(money);
  expect(voidParameters(order)).toMatchObject(money);
  expect(chargeParameters(structuredClone(order))).toEqual(chargeParameters(order));
  // Whatever was charged.
  expect(refundParameters(order, 'pi_1')).not.toHaveProperty('amount');
});
