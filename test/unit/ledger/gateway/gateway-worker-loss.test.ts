import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cardOrder } from './card-order.ts';
import { GatewayTrial, until } from './gateway-trial.ts';

describe('the gateway’s worker, when it is lost', () => {
  let trial: GatewayTrial;
  let workers: Worker[];
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
  });

  test('between two calls it is replaced, and nobody notices', async () => {
    expect((await trial.gateway.charge(cardOrder('approve'))).kind).toBe('approved');
    await workers[0]?.terminate();
    expect((await trial.gateway.charge(cardOrder('approve'))).kind).toBe('approved');
    expect(workers).toHaveLength(2);
  });
});
