import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StripeGateway } from '../../../../src/ledger/gateway/stripe-gateway.ts';
import { cardOrder } from './card-order.ts';
import { apiKey, GatewayTrial, until } from './gateway-trial.ts';
import { httpAnswer, ScriptedPeer } from './scripted-peer.ts';

const approved = { kind: 'approved', reference: expect.stringMatching(/^pi_[0-9a-f]{24}$/) };

describe('the Stripe gateway', () => {
  let trial: GatewayTrial;

  beforeAll(async () => {
    trial = await GatewayTrial.start({ callLimitMs: 2_000 });
  });
  afterAll(() => trial.stop());

  test.each([
    ['approve', approved, 1],
    ['pm_card_visa', approved, 1],
    ['delay-60', approved, 1],
    ['twice', approved, 1],
    ['decline-insufficient-funds', { kind: 'declined', declineCode: 'insufficient_funds' }, 0],
    ['decline-lost_card', { kind: 'declined', declineCode: 'lost_card' }, 0],
    ['4242424242424242', { kind: 'declined', declineCode: 'resource_missing' }, 0],
    ['approve-then-drop', { kind: 'unknown', reason: 'ECONNRESET' }, 1],
  ])('the card %s', async (card, answer, charges) => {
    const order = cardOrder(card);
    expect(await trial.gateway.charge(order)).toEqual(answer);
    expect(await trial.charges(order.paymentId)).toHaveLength(charges);
    expect(trial.heard.at(-1)).toBe(`charge ${answer.kind}`);
  });

  test('charges what the order says', async () => {
    const order = cardOrder('approve');
    const answer = await trial.gateway.charge(order);
    expect(await trial.charges(order.paymentId)).toEqual([
      {
        paymentIntentId: answer.kind === 'approved' ? answer.reference : '',
        paymentId: order.paymentId,
        amount: 4_200,
        currency: 'eur',
        refunded: false,
        refunds: [],
      },
    ]);
  });

  test.each(['approve', 'decline-insufficient-funds', 'twice'])(
    '%s, asked again, says the same',
    async (card) => {
      const order = cardOrder(card);
      const first = await trial.gateway.charge(order);
      expect(await trial.gateway.charge(order)).toEqual(first);
      expect(await trial.charges(order.paymentId)).toHaveLength(first.kind === 'approved' ? 1 : 0);
    },
  );

  test('an answer that was lost is heard when asked for again, and charged once', async () => {
    const order = cardOrder('approve-then-drop');
    expect((await trial.gateway.charge(order)).kind).toBe('unknown');
    const [charge] = await trial.charges(order.paymentId);
    expect(await trial.gateway.charge(order)).toEqual({
      kind: 'approved',
      reference: charge?.paymentIntentId,
    });
    expect(await trial.charges(order.paymentId)).toHaveLength(1);
  });

  test('a stray second answer is nobody’s: the calls after it hear their own', async () => {
    for (let round = 0; round < 10; round++) {
      await trial.gateway.charge(cardOrder('twice'));
      const order = cardOrder('approve');
      const answer = await until(
        () => trial.gateway.charge(order),
        ({ kind }) => kind !== 'unknown',
      );
      const [charge, ...more] = await trial.charges(order.paymentId);
      expect(answer).toEqual({ kind: 'approved', reference: charge?.paymentIntentId });
      expect(more).toEqual([]);
    }
  });

  test('an amount that Stripe does not take is declined', async () => {
    const order = { ...cardOrder('approve'), amountMinor: 0 };
    expect(await trial.gateway.charge(order)).toEqual({
      kind: 'declined',
      declineCode: 'parameter_invalid_integer',
    });
    expect(await trial.gateway.void(order)).toEqual({ kind: 'begun' });
  });

  describe('void', () => {
    test('before the charge: it will never be made', async () => {
      const order = cardOrder('approve');
      expect(await trial.gateway.void(order)).toEqual({ kind: 'voided' });
      expect(await trial.gateway.charge(order)).toEqual({
        kind: 'unknown',
        reason: 'the idempotency key belongs to another request',
      });
      expect(await trial.gateway.void(order)).toEqual({ kind: 'voided' });
      expect(await trial.charges(order.paymentId)).toEqual([]);
    });

    test.each(['approve', 'approve-then-drop', 'decline-insufficient-funds'])(
      'after %s: it was begun, and charge tells what came of it',
      async (card) => {
        const order = cardOrder(card);
        await trial.gateway.charge(order);
        expect(await trial.gateway.void(order)).toEqual({ kind: 'begun' });
        const isCharged = (await trial.charges(order.paymentId)).length === 1;
        expect((await trial.gateway.charge(order)).kind).toBe(isCharged ? 'approved' : 'declined');
      },
    );

    test('while the charge is worked on: unknown, and begun afterwards', async () => {
      const order = cardOrder('delay-300');
      const charging = trial.gateway.charge(order);
      const answers: string[] = [];
      await until(
        async () => answers[answers.push((await trial.gateway.void(cardOrderAgain(order))).kind) - 1],
        (kind) => kind !== 'unknown',
      );
      expect(await charging).toEqual(approved);
      expect(answers.length).toBeGreaterThan(1);
      expect(answers.at(-1)).toBe('begun');
      expect(await trial.charges(order.paymentId)).toHaveLength(1);
    });
  });

  describe('refund', () => {
    test('gives back once, however often it is called', async () => {
      const order = cardOrder('approve');
      const answer = await trial.gateway.charge(order);
      const reference = answer.kind === 'approved' ? answer.reference : '';
      const refund = await trial.gateway.refund(order, reference);
      expect(refund).toEqual({ kind: 'refunded', reference: expect.stringMatching(/^re_[0-9a-f]{24}$/) });
      expect(await trial.gateway.refund(order, reference)).toEqual(refund);
      const [charge] = await trial.charges(order.paymentId);
      expect(charge?.refunds).toEqual([
        { refundId: refund.kind === 'refunded' ? refund.reference : '', amount: 4_200 },
      ]);
    });

    test('of a charge that somebody else gave back goes by the charge’s name', async () => {
      const order = cardOrder('approve');
      const answer = await trial.gateway.charge(order);
      const reference = answer.kind === 'approved' ? answer.reference : '';
      await trial.gateway.refund(cardOrder('approve'), reference);
      expect(await trial.gateway.refund(order, reference)).toEqual({ kind: 'refunded', reference });
      expect((await trial.charges(order.paymentId))[0]?.refunds).toHaveLength(1);
    });

    test('of what was never charged is for people', async () => {
      expect(await trial.gateway.refund(cardOrder('approve'), 'pi_of-nobody')).toEqual({
        kind: 'unknown',
        reason: 'refused: resource_missing',
      });
    });
  });

  test('a charge that was not decided when it was made is looked at again', async () => {
    const order = cardOrder('approve');
    const intent = (status: string) => ({ id: 'pi_1', status, metadata: { paymentId: order.paymentId } });
    const peer = await ScriptedPeer.start((socket, request) => {
      socket.write(httpAnswer(200, intent(request.startsWith('GET') ? 'succeeded' : 'processing')));
    });
    const observer = { onGatewayCall: () => undefined, onBreaker: () => undefined };
    const gateway = await StripeGateway.open({ apiUrl: peer.url, apiKey, observer });
    expect(await gateway.charge(order)).toEqual({ kind: 'approved', reference: 'pi_1' });
    const lines = peer.requests.map((request) => request.split('\r\n')[0]);
    expect(lines).toEqual(['POST /v1/payment_intents HTTP/1.1', 'GET /v1/payment_intents/pi_1 HTTP/1.1']);
    expect(peer.requests[0]).toContain(`Idempotency-Key: ${order.paymentId}\r\n`);
    await gateway.close();
    await peer.stop();
  });

  test('a gateway that is not there: certainly not sent', async () => {
    const gone = await GatewayTrial.start();
    await gone.sandbox.close();
    const order = cardOrder('approve');
    expect(await gone.gateway.charge(order)).toEqual({ kind: 'not-sent', reason: 'ECONNREFUSED' });
    expect(await gone.gateway.void(order)).toEqual({ kind: 'unknown', reason: 'ECONNREFUSED' });
    expect(await gone.gateway.refund(order, 'pi_1')).toEqual({ kind: 'unknown', reason: 'ECONNREFUSED' });
    await gone.gateway.close();
    expect(gone.heard).toEqual(['charge not-sent', 'void unknown', 'refund unknown']);
  });

  test('closing waits for the calls under way, and sends none after them', async () => {
    const closing = await GatewayTrial.start();
    const order = cardOrder('delay-100');
    const charging = closing.gateway.charge(order);
    await closing.gateway.close();
    expect(await charging).toEqual(approved);
    expect(closing.gateway.standing).toBe('unavailable');
    expect(await closing.gateway.charge(cardOrder('approve'))).toEqual({
      kind: 'not-sent',
      reason: 'closed',
    });
    expect(await closing.gateway.void(order)).toEqual({ kind: 'unknown', reason: 'closed' });
    expect(await closing.charges()).toHaveLength(1);
    await closing.sandbox.close();
  });
});

/** As read again from the ledger: equal, and not the same object. */
const cardOrderAgain = <Order>(order: Order): Order => structuredClone(order);
