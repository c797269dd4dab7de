import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  formatPaymentId,
  type ReservationNumber,
  type ScheduleId,
} from '../../../../src/actors/allocator/ids.ts';
import { callFaultOf, isGatewayFailure } from '../../../../src/ledger/gateway/call-fault.ts';
import { OneAttemptClient } from '../../../../src/ledger/gateway/one-attempt-client.ts';
import {
  chargeReply,
  chargeReplyTo,
  findReply,
  findReplyTo,
  openIntentId,
  refundReply,
  refundReplyTo,
  voidReply,
  voidReplyTo,
} from '../../../../src/ledger/gateway/stripe-answers.ts';
import { httpAnswer, ScriptedPeer } from './scripted-peer.ts';

/** `kind` and what comes with it, as `declined lost_card`. */
const said = ({ answer }: { answer: object }) => Object.values(answer).join(' ');

describe('a call that came to nothing', () => {
  let peer: ScriptedPeer;
  let stripe: Stripe;
  let answer: string;
  const secret = 'sk_live_4242 pm_of-a-card';

  beforeAll(async () => {
    peer = await ScriptedPeer.start((socket) => void socket.write(answer));
    stripe = new Stripe('sk_test', {
      protocol: 'http',
      host: '127.0.0.1',
      port: peer.port,
      httpClient: new OneAttemptClient(1),
      maxNetworkRetries: 0,
      telemetry: false,
    });
  });
  afterAll(() => peer.stop());

  // What the gateway says | status, error | charge | void | refund | whether it counts against the breaker
  test.each<[number, unknown, string, string, string, boolean]>([
    [
      402,
      { type: 'card_error', code: 'card_declined', decline_code: 'lost_card' },
      'declined lost_card',
      'unknown refused: lost_card',
      'unknown refused: lost_card',
      false,
    ],
    [
      402,
      { type: 'card_error', code: 'expired_card' },
      'declined expired_card',
      'unknown refused: expired_card',
      'unknown refused: expired_card',
      false,
    ],
    [
      402,
      { type: 'card_error' },
      'declined declined',
      'unknown refused: declined',
      'unknown refused: declined',
      false,
    ],
    [
      400,
      { type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method' },
      'declined resource_missing',
      'unknown refused: resource_missing',
      'unknown refused: resource_missing',
      false,
    ],
    [
      404,
      { type: 'invalid_request_error' },
      'declined invalid_request',
      'unknown refused: invalid_request',
      'unknown refused: invalid_request',
      false,
    ],
    [
      400,
      { type: 'invalid_request_error', code: 'amount_too_small', param: 'amount' },
      'declined amount_too_small',
      'begun',
      'unknown refused: amount_too_small',
      false,
    ],
    [
      400,
      { type: 'invalid_request_error', code: 'not a code\n' },
      'declined invalid_request',
      'unknown refused: invalid_request',
      'unknown refused: invalid_request',
      false,
    ],
    [
      400,
      { type: 'invalid_request_error', code: 'charge_already_refunded' },
      'declined charge_already_refunded',
      'unknown refused: charge_already_refunded',
      'refunded pi_1',
      false,
    ],
    [
      400,
      { type: 'idempotency_error' },
      'unknown the idempotency key belongs to another request',
      'begun',
      'unknown the idempotency key belongs to another request',
      false,
    ],
    [
      409,
      { type: 'invalid_request_error', code: 'idempotency_key_in_use' },
      'unknown the first request is still under way',
      'unknown the first request is still under way',
      'unknown the first request is still under way',
      false,
    ],
    [
      401,
      { type: 'invalid_request_error' },
      'not-sent status 401',
      'unknown status 401',
      'unknown status 401',
      true,
    ],
    [
      403,
      { type: 'invalid_request_error', code: 'secret_key_required' },
      'not-sent status 403, secret_key_required',
      'unknown status 403, secret_key_required',
      'unknown status 403, secret_key_required',
      true,
    ],
    [
      429,
      { type: 'invalid_request_error', code: 'rate_limit' },
      'not-sent status 429, rate_limit',
      'unknown status 429, rate_limit',
      'unknown status 429, rate_limit',
      true,
    ],
    [
      400,
      { type: 'invalid_request_error', code: 'rate_limit' },
      'not-sent status 400, rate_limit',
      'unknown status 400, rate_limit',
      'unknown status 400, rate_limit',
      true,
    ],
    [
      429,
      { type: 'invalid_request_error', code: 'lock_timeout' },
      'unknown status 429, lock_timeout',
      'unknown status 429, lock_timeout',
      'unknown status 429, lock_timeout',
      true,
    ],
    [
      409,
      { type: 'invalid_request_error' },
      'unknown status 409',
      'unknown status 409',
      'unknown status 409',
      true,
    ],
    [500, { type: 'api_error' }, 'unknown status 500', 'unknown status 500', 'unknown status 500', true],
    [
      503,
      { type: 'api_error', code: 'x' },
      'unknown status 503, x',
      'unknown status 503, x',
      'unknown status 503, x',
      true,
    ],
    [302, { type: 'api_error' }, 'unknown status 302', 'unknown status 302', 'unknown status 302', true],
  ])('%i %o', async (status, error, charge, voided, refund, isFailure) => {
    answer = httpAnswer(status, { error: { ...(error as object), message: secret } });
    const fault = await faultOfCall();
    expect(said(chargeReplyTo(fault))).toBe(charge);
    expect(said(voidReplyTo(fault))).toBe(voided);
    expect(said(refundReplyTo(fault, 'pi_1'))).toBe(refund);
    expect(findReplyTo(fault)).toEqual({
      answer: { kind: 'unknown', reason: expect.stringMatching(/./) },
      isFailure,
    });
    expect(isGatewayFailure(fault)).toBe(isFailure);
    expect(JSON.stringify(fault)).not.toContain('4242');
  });

  // What is refused whatever the card is for people to mend: they hear of it.
  test.each<[number, object, string | undefined]>([
    [400, { type: 'invalid_request_error' }, 'invalid_request'],
    [400, { type: 'invalid_request_error', code: 'testmode_charges_only' }, 'testmode_charges_only'],
    [404, { type: 'invalid_request_error', code: 'resource_missing' }, 'resource_missing'],
    [
      400,
      { type: 'invalid_request_error', code: 'amount_too_small', param: 'amount' },
      'amount_too_small, parameter amount',
    ],
    [400, { type: 'invalid_request_error', param: 'currency' }, 'invalid_request, parameter currency'],
    [
      400,
      { type: 'invalid_request_error', code: 'parameter_unknown', param: 'payment_method_types' },
      'parameter_unknown, parameter payment_method_types',
    ],
    [400, { type: 'invalid_request_error', code: 'x', param: 'metadata[4242]' }, 'x'],
    [400, { type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method' }, undefined],
    [400, { type: 'invalid_request_error', param: 'card[number]' }, undefined],
    [400, { type: 'card_error', code: 'incorrect_number', param: 'number' }, undefined],
    [402, { type: 'card_error', code: 'expired_card' }, undefined],
    [400, { type: 'idempotency_error' }, undefined],
    [401, { type: 'invalid_request_error' }, undefined],
    [500, { type: 'api_error' }, undefined],
  ])('%i %o: people hear of %s', async (status, error, refusal) => {
    answer = httpAnswer(status, { error: { ...error, message: secret } });
    expect(chargeReplyTo(await faultOfCall()).refusal).toBe(refusal);
  });

  test.each<[string, string]>([
    ['HTML of a proxy', httpAnswer(502, '<html>sk_live_4242</html>')],
    ['no object', httpAnswer(200, 'null')],
    ['an error that is text', httpAnswer(400, { error: '4242', error_description: '4242' })],
  ])('%s: unknown', async (_, text) => {
    answer = text;
    const fault = await faultOfCall();
    expect(fault.kind).toBe('unclear');
    expect(isGatewayFailure(fault)).toBe(true);
    expect(JSON.stringify(fault)).not.toContain('4242');
  });

  async function faultOfCall() {
    const failure = await stripe.paymentIntents.create({ amount: 1, currency: 'eur' }).then(
      () => expect.unreachable('the call was answered'),
      (error: unknown) => error,
    );
    return callFaultOf(failure);
  }
});

describe('an object that Stripe answers with', () => {
  const paymentId = formatPaymentId(7 as ScheduleId, 1 as ReservationNumber, 2);
  const name = { paymentId, installationId: 'theater0001' };
  const intent = (status: string, more: object = {}) => ({ id: 'pi_1', status, metadata: name, ...more });
  const anothers = [
    { ...name, paymentId: '7-1-3' },
    { ...name, installationId: 'theater0002' },
    { paymentId },
    { installationId: 'theater0001' },
    {},
  ].map((metadata) => intent('succeeded', { metadata }));

  test.each<[object | null, string, boolean]>([
    [intent('succeeded'), 'approved pi_1', false],
    ...anothers.map(
      (other) => [other, 'unknown the intent of another payment', true] as [object, string, true],
    ),
    [intent('processing'), 'unknown the intent is processing', false],
    [intent('requires_capture'), 'unknown the intent is requires_capture', false],
    [intent('requires_action'), 'unknown the intent is requires_action', false],
    [intent('requires_payment_method'), 'unknown the intent is requires_payment_method', false],
    [
      intent('requires_payment_method', {
        last_payment_error: { code: 'card_declined', decline_code: 'lost_card' },
      }),
      'declined lost_card',
      false,
    ],
    [
      intent('requires_payment_method', { last_payment_error: { code: 'expired_card' } }),
      'declined expired_card',
      false,
    ],
    [intent('canceled'), 'declined canceled', false],
    [
      intent('canceled', {
        cancellation_reason: 'requested_by_customer',
        last_payment_error: { code: 'expired_card' },
      }),
      'declined canceled',
      false,
    ],
    ...['canceled', 'requires_payment_method'].map(
      (status) =>
        [
          intent(status, { metadata: {}, last_payment_error: { code: 'expired_card' } }),
          'unknown the intent of another payment',
          true,
        ] as [object, string, true],
    ),
    [{ status: 'succeeded' }, 'unknown unreadable answer', true],
    [intent('succeeded', { id: '' }), 'unknown unreadable answer', true],
    [null, 'unknown unreadable answer', true],
  ])('to a charge: %o', (object, answer, isFailure) => {
    const reply = chargeReply(object, name);
    expect(said(reply)).toBe(answer);
    expect(reply.isFailure).toBe(isFailure);
  });

  test.each([
    ['succeeded', undefined],
    ['canceled', undefined],
    ['processing', 'pi_1'],
    ['requires_payment_method', 'pi_1'],
  ])('that is %s is looked at again: %s', (status, id) => {
    expect(openIntentId(intent(status))).toBe(id);
  });

  const found = (data: readonly unknown[], more: object = {}) => ({
    object: 'search_result',
    data,
    has_more: false,
    ...more,
  });

  test.each<[object | null, string, boolean]>([
    [found([intent('succeeded')]), 'approved pi_1', false],
    [found([intent('succeeded')], { has_more: true }), 'approved pi_1', false],
    [found([]), 'none', false],
    [found([], { has_more: true }), 'unknown an empty page before others', true],
    ...anothers.map(
      (other) => [found([other]), 'unknown the intent of another payment', true] as [object, string, true],
    ),
    [found([intent('processing')]), 'unknown the intent is processing', true],
    [found([{ status: 'succeeded', metadata: name }]), 'unknown unreadable answer', true],
    [found([], { object: 'list' }), 'unknown unreadable answer', true],
    [{ object: 'search_result', has_more: false }, 'unknown unreadable answer', true],
    [{ object: 'search_result', data: [] }, 'unknown unreadable answer', true],
    [{ data: [], has_more: false }, 'unknown unreadable answer', true],
    [null, 'unknown unreadable answer', true],
  ])('to a search: %j', (object, answer, isFailure) => {
    const reply = findReply(object, name);
    expect(said(reply)).toBe(answer);
    expect(reply.isFailure).toBe(isFailure);
  });

  test.each<[object, string]>([
    [intent('requires_payment_method'), 'voided'],
    [intent('succeeded'), 'unknown the intent is one that charges'],
    [{}, 'unknown unreadable answer'],
  ])('to a void: %o', (object, answer) => {
    expect(said(voidReply(object))).toBe(answer);
  });

  test.each<[object, string]>([
    [{ id: 're_1', status: 'succeeded' }, 'refunded re_1'],
    [{ id: 're_1', status: 'pending' }, 'refunded re_1'],
    [{ id: 're_1', status: 'failed' }, 'unknown the refund is failed'],
    [{ id: 're_1', status: 'canceled' }, 'unknown the refund is canceled'],
    [{ id: 're_1', status: null }, 'unknown the refund is in no state we know'],
    [{ status: 'succeeded' }, 'unknown unreadable answer'],
  ])('to a refund: %o', (object, answer) => {
    expect(said(refundReply(object))).toBe(answer);
  });
});
