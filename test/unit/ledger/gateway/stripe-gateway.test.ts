import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StripeGateway } from '../../../../src/ledger/gateway/stripe-gateway.ts';
import { cardOrder } from './card-order.ts';
import { apiKey, GatewayTrial, installationId, until } from './gateway-trial.ts';
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

  test.each([
    ['EUR', 4_200],
    ['JPY', 4_200],
    ['ISK', 420_000],
  ])('an amount of 4,200 minor units in %s is %i of Stripe’s', async (currency, amount) => {
    const order = { ...cardOrder('approve'), currency };
    const answer = await trial.gateway.charge(order);
    const [charge] = await trial.charges(order.paymentId);
    expect(charge).toMatchObject({ amount, currency: currency.toLowerCase() });
    expect((await trial.gateway.refund(order, charge?.paymentIntentId ?? '')).kind).toBe('refunded');
    expect((await trial.charges(order.paymentId))[0]?.refunds).toMatchObject([{ amount }]);
    expect(await trial.gateway.charge(order)).toEqual(answer);
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
    expect(trial.heard.slice(-2)).toEqual([
      `fault payment ${order.paymentId}: declined, as the card gateway refuses it whatever the card: ` +
        'parameter_invalid_integer, parameter amount',
      'charge declined',
    ]);
    expect(await trial.gateway.void(order)).toEqual({ kind: 'begun' });
  });

  test('nobody hears of cards that are refused', async () => {
    trial.heard.length = 0;
    await trial.gateway.charge(cardOrder('pm_of-nobody'));
    await trial.gateway.charge(cardOrder('decline-lost-card'));
    expect(trial.heard).toEqual(['charge declined', 'charge declined']);
  });

  test('an API key that no header takes: certainly not sent', async () => {
    const broken = await GatewayTrial.start({ apiKey: 'sk_test_\nx' }, trial.sandbox);
    const order = cardOrder('approve');
    expect(await broken.gateway.charge(order)).toEqual({ kind: 'not-sent', reason: 'ERR_INVALID_CHAR' });
    expect(await broken.gateway.void(order)).toEqual({ kind: 'unknown', reason: 'ERR_INVALID_CHAR' });
    expect(broken.heard).toEqual(['charge not-sent', 'void unknown']);
    await broken.gateway.close();
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

  describe('find', () => {
    test.each([
      ['approve', 1],
      ['approve-then-drop', 1],
      ['decline-insufficient-funds', 0],
    ])('after %s: what the bank has, and nothing more is charged', async (card, charges) => {
      const order = cardOrder(card);
      await trial.gateway.charge(order);
      const found = await trial.gateway.find(order);
      const made = await trial.charges(order.paymentId);
      expect(made).toHaveLength(charges);
      const [charge] = made;
      expect(found).toEqual(
        charge === undefined ? { kind: 'none' } : { kind: 'approved', reference: charge.paymentIntentId },
      );
      expect(trial.heard.at(-1)).toBe(`find ${found.kind}`);
    });

    test('of what was never charged: none; of what was voided as well', async () => {
      const order = cardOrder('approve');
      expect(await trial.gateway.find(order)).toEqual({ kind: 'none' });
      expect(await trial.gateway.void(order)).toEqual({ kind: 'voided' });
      expect(await trial.gateway.find(order)).toEqual({ kind: 'none' });
    });

    test('of a charge that was given back: approved, and its refund is the one that was made', async () => {
      const order = cardOrder('approve');
      const answer = await trial.gateway.charge(order);
      const reference = answer.kind === 'approved' ? answer.reference : '';
      const refund = await trial.gateway.refund(order, reference);
      expect(await trial.gateway.find(order)).toEqual({ kind: 'approved', reference });
      expect(await trial.gateway.refund(order, reference)).toEqual(refund);
      expect((await trial.charges(order.paymentId))[0]?.refunds).toHaveLength(1);
    });

    test('asks for both names, and takes no other’s intent for ours', async () => {
      const order = cardOrder('approve');
      const { paymentId } = order;
      let metadata: object = { paymentId, installationId };
      const peer = await ScriptedPeer.start((socket) => {
        const data = [{ id: 'pi_1', status: 'succeeded', metadata }];
        socket.write(httpAnswer(200, { object: 'search_result', data, has_more: false }));
      });
      const gateway = await openQuietly(peer.url);
      expect(await gateway.find(order)).toEqual({ kind: 'approved', reference: 'pi_1' });
      metadata = { paymentId, installationId: 'theater0002' };
      expect(await gateway.find(order)).toEqual({
        kind: 'unknown',
        reason: 'the intent of another payment',
      });
      const [method, path = ''] = peer.requests[0]?.split(' ') ?? [];
      const { pathname, searchParams } = new URL(path, peer.url);
      expect([method, pathname]).toEqual(['GET', '/v1/payment_intents/search']);
      expect(Object.fromEntries(searchParams)).toEqual({
        query: `metadata['paymentId']:'${paymentId}' AND metadata['installationId']:'theater0001' AND status:'succeeded'`,
        limit: '1',
      });
      await gateway.close();
      await peer.stop();
    });
  });

  test('two installations with the same payment ids on one account: each has its own', async () => {
    const other = await GatewayTrial.start({ installationId: 'theater0002' }, trial.sandbox);
    const order = cardOrder('approve');
    const theirs = { ...order, amountMinor: 900 };
    expect(await trial.gateway.charge(order)).toEqual(approved);
    expect(await other.gateway.find(theirs)).toEqual({ kind: 'none' });
    expect(await other.gateway.charge(theirs)).toEqual(approved);

    const charges = await trial.charges(order.paymentId);
    expect(charges.map(({ amount }) => amount)).toEqual([4_200, 900]);
    const [ours = '', others = ''] = charges.map(({ paymentIntentId }) => paymentIntentId);
    expect(await trial.gateway.find(order)).toEqual({ kind: 'approved', reference: ours });
    expect(await other.gateway.find(theirs)).toEqual({ kind: 'approved', reference: others });

    expect((await trial.gateway.refund(order, ours)).kind).toBe('refunded');
    expect((await other.gateway.refund(theirs, others)).kind).toBe('refunded');
    const refunded = (await trial.charges(order.paymentId)).map(({ refunds }) => refunds.length);
    expect(refunded).toEqual([1, 1]);

    const voided = cardOrder('approve');
    expect(await trial.gateway.void(voided)).toEqual({ kind: 'voided' });
    expect(await other.gateway.charge(voided)).toEqual(approved);
    await other.gateway.close();
  });

  test.each(['', 'theater', 'Theater0001', 'theater-0001', "theater0'01", 'theater0001\n', 'x'.repeat(33)])(
    '%j is no installation id',
    async (wrong) => {
      await expect(openQuietly('http://127.0.0.1:9', wrong)).rejects.toThrow('an installation id has');
    },
  );

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
    const metadata = { paymentId: order.paymentId, installationId };
    const intent = (status: string) => ({ id: 'pi_1', status, metadata });
    const peer = await ScriptedPeer.start((socket, request) => {
      socket.write(httpAnswer(200, intent(request.startsWith('GET') ? 'succeeded' : 'processing')));
    });
    const gateway = await openQuietly(peer.url);
    expect(await gateway.charge(order)).toEqual({ kind: 'approved', reference: 'pi_1' });
    const lines = peer.requests.map((request) => request.split('\r\n')[0]);
    expect(lines).toEqual(['POST /v1/payment_intents HTTP/1.1', 'GET /v1/payment_intents/pi_1 HTTP/1.1']);
    expect(peer.requests[0]).toContain(`Idempotency-Key: theater0001-${order.paymentId}\r\n`);
    await gateway.close();
    await peer.stop();
  });

  test('a gateway that is not there: certainly not sent', async () => {
    const gone = await GatewayTrial.start();
    await gone.sandbox.close();
    const order = cardOrder('approve');
    expect(await gone.gateway.charge(order)).toEqual({ kind: 'not-sent', reason: 'ECONNREFUSED' });
    expect(await gone.gateway.void(order)).toEqual({ kind: 'unknown', reason: 'ECONNREFUSED' });
    expect(await gone.gateway.find(order)).toEqual({ kind: 'unknown', reason: 'ECONNREFUSED' });
    expect(await gone.gateway.refund(order, 'pi_1')).toEqual({ kind: 'unknown', reason: 'ECONNREFUSED' });
    await gone.gateway.close();
    expect(gone.heard).toEqual(['charge not-sent', 'void unknown', 'find unknown', 'refund unknown']);
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
    expect(await closing.gateway.find(order)).toEqual({ kind: 'unknown', reason: 'closed' });
    expect(await closing.charges()).toHaveLength(1);
    await closing.sandbox.close();
  });
});

const openQuietly = (apiUrl: string, id = installationId): Promise<StripeGateway> => {
  const observer = { onGatewayCall: () => undefined, onBreaker: () => undefined, onFault: () => undefined };
  return StripeGateway.open({ apiUrl, apiKey, installationId: id, observer });
};

/** As read again from the ledger: equal, and not the same object. */
const cardOrderAgain = <Order>(order: Order): Order => structuredClone(order);
