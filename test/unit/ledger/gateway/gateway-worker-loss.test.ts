import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StripeGateway } from '../../../../src/ledger/gateway/stripe-gateway.ts';
import { cardOrder } from './card-order.ts';
import { apiKey, GatewayTrial, installationId, until } from './gateway-trial.ts';

describe('the gateway’s worker, when it is lost', () => {
  let trial: GatewayTrial;
  let workers: Worker[];
  const faults = () => trial.heard.filter((line) => line.startsWith('fault'));
  const collect = (message: unknown) => {
    workers.push((message as { worker: Worker }).worker);
  };

  beforeEach(async () => {
    workers = [];
    subscribe('worker_threads', collect);
    trial = await GatewayTrial.start();
  });
  afterEach(async () => {
    unsubscribe('worker_threads', collect);
    await trial.stop();
  });

  test('its calls are unknown, another takes over, and a charge that was made is heard of', async () => {
    const orders = [cardOrder('delay-150'), cardOrder('delay-150')];
    const charging = orders.map((order) => trial.gateway.charge(order));
    // The sandbox has heard of them: their keys are in use.
    for (const order of orders) {
      const answer = await trial.gateway.void(order);
      if (answer.kind !== 'unknown') throw new Error(`the charge came too late: ${answer.kind}`);
    }
    expect(workers).toHaveLength(1);
    await workers[0]?.terminate();
    expect(await Promise.all(charging)).toEqual(
      Array(2).fill({ kind: 'unknown', reason: 'the call was lost' }),
    );

    for (const order of orders) {
      const answer = await until(
        () => trial.gateway.charge(order),
        ({ kind }) => kind !== 'unknown',
      );
      expect(answer.kind).toBe('approved');
      expect(await trial.charges(order.paymentId)).toHaveLength(1);
    }
    expect(workers).toHaveLength(2);
    expect(faults()).toEqual([`${failed}: Error`]);
  });

  test('between two calls it is replaced, and nobody notices', async () => {
    expect((await trial.gateway.charge(cardOrder('approve'))).kind).toBe('approved');
    await workers[0]?.terminate();
    expect((await trial.gateway.charge(cardOrder('approve'))).kind).toBe('approved');
    expect(workers).toHaveLength(2);
  });

  test('by an error between two calls: it is told where, and not what the error says', async () => {
    const leak = new TypeError(`sk_live_4242 ${apiKey}`);
    workers[0]?.emit('error', leak);
    expect(faults()).toEqual([`${failed}: TypeError`]);
    expect(trial.errors[0]?.stack).toMatch(/^Error: TypeError\n {4}at .*gateway-worker-loss/);
    expect(trial.errors[0]?.stack).not.toMatch(/4242|merchant/);
    expect((await trial.gateway.charge(cardOrder('approve'))).kind).toBe('approved');
  });
});

test('a worker that hangs as it loads: the gateway does not open', async () => {
  const silence = (message: unknown) => {
    (message as { worker: Worker }).worker.postMessage = () => undefined;
  };
  subscribe('worker_threads', silence);
  const opening = StripeGateway.open({
    apiUrl: 'http://127.0.0.1:9',
    apiKey,
    installationId,
    loadLimitMs: 50,
    observer: { onGatewayCall: () => undefined, onBreaker: () => undefined, onFault: () => undefined },
  });
  await expect(opening).rejects.toThrow("the card gateway's worker did not load within 50 ms");
  unsubscribe('worker_threads', silence);
});

const failed = "fault the card gateway's worker failed, and the calls that it had are lost";
