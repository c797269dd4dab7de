import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { cardOrder } from './card-order.ts';
import { GatewayTrial, until } from './gateway-trial.ts';

/** Said by the worker or, if that is late, for it. */
const timedOut = { kind: 'unknown', reason: expect.stringMatching(/^no answer (in time|within [0-9]+ ms)$/) };

describe('the gateway’s standing', () => {
  let trial: GatewayTrial;
  afterEach(() => trial.stop());

  const chargeMany = async (count: number, card = 'approve') =>
    (await Promise.all(Array.from({ length: count }, () => trial.gateway.charge(cardOrder(card))))).map(
      ({ kind }) => kind,
    );

  test('a service that is down opens the breaker; when it is back, one call closes it', async () => {
    trial = await GatewayTrial.start({ breakerOpenMs: 200 });
    await trial.turn('down');
    const kinds: string[] = [];
    while (trial.gateway.standing === 'ready') {
      kinds.push((await trial.gateway.charge(cardOrder('approve'))).kind);
    }
    expect(kinds).toEqual(Array(5).fill('unknown'));
    expect(trial.gateway.standing).toBe('unavailable');

    const order = cardOrder('approve');
    expect(await trial.gateway.charge(order)).toEqual({ kind: 'not-sent', reason: 'unavailable' });
    expect(await trial.gateway.void(order)).toEqual({ kind: 'unknown', reason: 'unavailable' });
    expect(await trial.gateway.find(order)).toEqual({ kind: 'unknown', reason: 'unavailable' });
    expect(await trial.gateway.refund(order, 'pi_1')).toEqual({ kind: 'unknown', reason: 'unavailable' });

    await trial.turn('up');
    await until(
      async () => trial.gateway.standing,
      (standing) => standing === 'ready',
    );
    expect((await trial.gateway.charge(order)).kind).toBe('approved');
    expect(trial.gateway.standing).toBe('ready');
    expect(trial.heard.filter((line) => line.startsWith('breaker'))).toEqual([
      'breaker open',
      'breaker half-open',
      'breaker closed',
    ]);
    expect(await trial.charges()).toHaveLength(1);
  });

  test('while the one call is out, others are turned away and don’t wait', async () => {
    trial = await GatewayTrial.start({ breakerOpenMs: 100 });
    await trial.turn('down');
    await chargeMany(5);
    await trial.turn('up');
    await until(
      async () => trial.gateway.standing,
      (standing) => standing === 'ready',
    );
    const probing = trial.gateway.charge(cardOrder('delay-300'));
    expect(trial.gateway.standing).toBe('unavailable');
    expect(await chargeMany(3)).toEqual(['not-sent', 'not-sent', 'not-sent']);
    expect((await probing).kind).toBe('approved');
    expect(trial.gateway.standing).toBe('ready');
  });

  test('one call that fails keeps it open', async () => {
    trial = await GatewayTrial.start({ breakerOpenMs: 100 });
    await trial.turn('down');
    await chargeMany(5);
    await until(
      async () => trial.gateway.standing,
      (standing) => standing === 'ready',
    );
    expect(await chargeMany(1)).toEqual(['unknown']);
    expect(trial.gateway.standing).toBe('unavailable');
    expect(trial.heard.filter((line) => line.startsWith('breaker'))).toEqual([
      'breaker open',
      'breaker half-open',
      'breaker open',
    ]);
  });

  test('slow answers count as failures; asked for again they are heard, and charged once', async () => {
    trial = await GatewayTrial.start({ callLimitMs: 200, breakerOpenMs: 100 });
    const slowMs = 800;
    await trial.turn('delay', { ms: slowMs });
    const orders = Array.from({ length: 5 }, () => cardOrder('approve'));
    const startedMs = performance.now();
    const answers = await Promise.all(orders.map((order) => trial.gateway.charge(order)));
    expect(performance.now() - startedMs).toBeLessThan(slowMs);
    expect(answers).toEqual(Array(5).fill(timedOut));
    expect(trial.gateway.standing).toBe('unavailable');

    await trial.turn('delay', { ms: 0 });
    for (const order of orders) {
      const answer = await until(
        () => trial.gateway.charge(order),
        ({ kind }) => kind === 'approved',
      );
      expect(answer).toEqual({ kind: 'approved', reference: expect.any(String) });
    }
    // The first requests are worked on by now, although nobody waits for them.
    await sleep(startedMs + slowMs + 200 - performance.now());
    const charged = (await trial.charges()).map(({ paymentId }) => paymentId);
    expect(charged.toSorted()).toEqual(orders.map(({ paymentId }) => paymentId as string).toSorted());
  });

  test('an ill service opens it too: most of the recent calls failed, never five in a row', async () => {
    trial = await GatewayTrial.start();
    const five = ['approve', ...Array<string>(4).fill('approve-then-drop')];
    const standings: string[] = [];
    for (const card of [...five, ...five]) {
      await trial.gateway.charge(cardOrder(card));
      standings.push(trial.gateway.standing);
    }
    expect(standings).toEqual([...Array(9).fill('ready'), 'unavailable']);
  });

  test('searches without an answer open it as charges do', async () => {
    trial = await GatewayTrial.start({ callLimitMs: 100 });
    await trial.turn('delay', { ms: 800 });
    const orders = Array.from({ length: 5 }, () => cardOrder('approve'));
    const answers = await Promise.all(orders.map((order) => trial.gateway.find(order)));
    expect(answers).toEqual(Array(5).fill(timedOut));
    expect(trial.gateway.standing).toBe('unavailable');
  });

  test('declines are no failures', async () => {
    trial = await GatewayTrial.start();
    for (let call = 0; call < 25; call++) await trial.gateway.charge(cardOrder('decline-lost-card'));
    expect(trial.gateway.standing).toBe('ready');
    expect(trial.heard).toEqual(Array(25).fill('charge declined'));
  });

  test('no more calls than it may make at once: the next is not sent, until one is done', async () => {
    trial = await GatewayTrial.start({ callsMax: 3 });
    const three = chargeMany(3, 'delay-200');
    expect(trial.gateway.standing).toBe('overloaded');
    expect(await trial.gateway.charge(cardOrder('approve'))).toEqual({
      kind: 'not-sent',
      reason: 'overloaded',
    });
    expect(await trial.gateway.void(cardOrder('approve'))).toEqual({ kind: 'unknown', reason: 'overloaded' });
    expect(await trial.gateway.find(cardOrder('approve'))).toEqual({ kind: 'unknown', reason: 'overloaded' });
    expect(await three).toEqual(['approved', 'approved', 'approved']);
    expect(trial.gateway.standing).toBe('ready');
    expect(await chargeMany(1)).toEqual(['approved']);
    expect(await trial.charges()).toHaveLength(4);
  });

  test('a card that hangs holds its place for the time limit and no longer; voided, it is free', async () => {
    trial = await GatewayTrial.start({ callsMax: 1, callLimitMs: 250 });
    const order = cardOrder('hang');
    const hanging = trial.gateway.charge(order);
    expect(trial.gateway.standing).toBe('overloaded');
    expect(await hanging).toEqual(timedOut);
    expect(trial.gateway.standing).toBe('ready');
    const voided = await until(
      () => trial.gateway.void(order),
      ({ kind }) => kind !== 'unknown',
    );
    expect(voided).toEqual({ kind: 'voided' });
    expect(await trial.charges()).toEqual([]);
  });
});
