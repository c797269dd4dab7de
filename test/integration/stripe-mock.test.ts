import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StripeMock, startStripeMock } from '../../scripts/servers/stripe-mock.ts';
import { StripeGateway } from '../../src/ledger/gateway/stripe-gateway.ts';
import {
  chargeParameters,
  refundParameters,
  voidParameters,
} from '../../src/ledger/gateway/stripe-requests.ts';
import { cardOrder } from '../unit/ledger/gateway/card-order.ts';

/**
 * Our calls against Stripe's own description of them. stripe-mock keeps nothing and charges nothing: an
 * intent of its is always one that waits for a card, so an accepted charge is unknown here, and a refused one
 * would be declined.
 */
describe('stripe-mock', () => {
  let mock: StripeMock;
  let gateway: StripeGateway;
  const heard: string[] = [];

  beforeAll(async () => {
    mock = await startStripeMock();
    gateway = await StripeGateway.open({
      apiUrl: mock.url,
      apiKey: 'sk_test_123',
      observer: {
        onGatewayCall: (call, outcome) => heard.push(`${call} ${outcome}`),
        onBreaker: (state) => heard.push(`breaker ${state}`),
      },
    });
  });
  afterAll(async () => {
    await gateway?.close();
    await mock?.stop();
  });

  test('takes a charge, a void and a refund, by way of the worker', async () => {
    const order = cardOrder('pm_card_visa');
    expect(await gateway.charge(order)).toEqual({
      kind: 'unknown',
      reason: 'the intent is requires_payment_method',
    });
    expect(await gateway.void(order)).toEqual({ kind: 'voided' });
    expect(await gateway.refund(order, 'pi_123')).toEqual({
      kind: 'refunded',
      reference: expect.stringMatching(/^re_/),
    });
    expect(heard).toEqual(['charge unknown', 'void voided', 'refund refunded']);
  });

  test('refuses an amount that is none, which is a decline', async () => {
    const order = { ...cardOrder('pm_card_visa'), amountMinor: Number.NaN };
    expect(await gateway.charge(order)).toEqual({ kind: 'declined', declineCode: 'invalid_request' });
  });

  const order = cardOrder('pm_card_visa');
  test.each([
    ['/v1/payment_intents', chargeParameters(order)],
    ['/v1/payment_intents', voidParameters(order)],
    ['/v1/refunds', refundParameters(order, 'pi_123')],
  ])('%s takes %o, and would not take one parameter more', async (path, parameters) => {
    const send = async (form: URLSearchParams) => {
      const response = await fetch(mock.url + path, {
        method: 'POST',
        headers: { authorization: 'Bearer sk_test_123' },
        body: form,
      });
      return { status: response.status, text: await response.text() };
    };
    const form = formOf(parameters);
    expect((await send(form)).status).toBe(200);
    form.append('amounts', '1');
    const refused = await send(form);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('additional properties are not allowed');
  });
});

/** As Stripe's form encoding has it: `metadata[paymentId]=…`, `allowed_payment_method_types[0]=card`. */
function formOf(parameters: object): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value !== 'object') form.append(name, `${value}`);
    else for (const [key, inner] of Object.entries(value)) form.append(`${name}[${key}]`, `${inner}`);
  }
  return form;
}
