import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Prng } from '../simulation/prng.ts';
import { expectInMySql } from './mysql-history.ts';
import { NodeStore, storeKinds } from './node-store.ts';
import { Sale } from './sale.ts';
import { expectKept } from './sale-checks.ts';

/** 40 clients fight for 500 seats while their node is killed with SIGKILL 20 times, at random. */
const killCount = 20;
const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);

describe('kill -9 of the node in the middle of a sale', () => {
  test.each(storeKinds)(
    `on %s: 20 kills lose nothing and sell nothing twice (KILL_SEED=${seed})`,
    async (kind) => {
      const prng = new Prng(seed);
      const store = await NodeStore.open(kind);
      let usher = await store.start();
      try {
        const sale = await Sale.open({ node: () => usher, prng });
        await sale.begin();
        for (let kill = 0; kill < killCount; kill++) {
          await sale.hasSold(1);
          await delay(prng.below(250));
          await usher.stop('SIGKILL');
          usher = await store.start();
        }
        await sale.end();
        expect(sale.setbacks.lostAnswers).toBeGreaterThan(killCount);
        await expectKept(usher, sale);
        if (store.mysqlUrl !== undefined) await expectInMySql(store.mysqlUrl, sale);
      } finally {
        await usher.stop('SIGKILL');
        await store.remove();
      }
    },
  );
});
