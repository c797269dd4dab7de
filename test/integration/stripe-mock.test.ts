import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StripeMock, startStripeMock } from '../../scripts/servers/stripe-mock.ts';
import type { CardOrder } from '../../src/actors/runtime/ledger.ts';
import { StripeGateway } from '../../src/ledger/gateway/stripe-gateway.ts';
import {
  chargeParameters,
  findParameters,
  type Installed,
  refundParameters,
  voidParameters,
} from '../../src/ledger/gateway/stripe-requests.ts';
import { cardOrder } from '../unit/ledger/gateway/card-order.ts';

/**
 * Our calls against Stripe's own description of them. stripe-mock keeps nothing and charges nothing: an
 * intent of its is always one that waits for a card, so an accepted charge is unknown here, and a refused one
 * would be declined. Every search finds an intent of nobody's, so one that is accepted finds another payment.
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
      installationId: 'theater0001',
      observer: {
        onGatewayCall: (call, outcome) => heard.push(`${call} ${outcome}`),
        onBreaker: (state) => heard.push(`breaker ${state}`),
        onFault: (fault, error) => heard.push(`${fault}: ${(error as Error).message}`),
      },
    });
  });
  afterAll(async () => {
    await gateway?.close();
    await mock?.stop();
  });

  test('takes a charge, a void, a search and a refund, by way of the worker', async () => {
    const order = cardOrder('pm_card_visa');
    expect(await gateway.charge(order)).toEqual({
      kind: 'unknown',
      reason: 'the intent is requires_payment_method',
    });
    expect(await gateway.void(order)).toEqual({ kind: 'voided' });
    expect(await gateway.find(order)).toEqual({ kind: 'unknown', reason: 'the intent of another payment' });
    expect(await gateway.refund(order, 'pi_123')).toEqual({
      kind: 'refunded',
      reference: expect.stringMatching(/^re_/),
    });
    expect(heard).toEqual(['charge unknown', 'void voided', 'find unknown', 'refund refunded']);
  });

  test('refuses an amount that is none, which is a decline and of which somebody hears', async () => {
    const order = { ...cardOrder('pm_card_visa'), amountMinor: Number.NaN };
    expect(await gateway.charge(order)).toEqual({ kind: 'declined', declineCode: 'invalid_request' });
    expect(heard.slice(-2)).toEqual([
      `payment ${order.paymentId}: declined, as the card gateway refuses it whatever the card: invalid_request`,
      'charge declined',
    ]);
  });

  const order: Installed<CardOrder> = { ...cardOrder('pm_card_visa'), installationId: 'theater0001' };
  test.each([
    ['POST', '/v1/payment_intents', chargeParameters(order)],
    ['POST', '/v1/payment_intents', voidParameters(order)],
    ['GET', '/v1/payment_intents/search', findParameters(order)],
    ['POST', '/v1/refunds', refundParameters(order, 'pi_123')],
  ])('%s %s takes %o, and would not take one parameter more', async (method, path, parameters) => {
    const send = async (form: URLSearchParams) => {
      const response = await fetch(`${mock.url}${path}${method === 'GET' ? `?${form}` : ''}`, {
        method,
        headers: { authorization: 'Bearer sk_test_123' },
        ...(method === 'GET' ? {} : { body: form }),
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
