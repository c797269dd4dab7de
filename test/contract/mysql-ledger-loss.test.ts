import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CutPoint, MysqlCuttingProxy } from '../../scripts/servers/mysql-cutting-proxy.ts';
import type { MySqlLedger } from '../../src/ledger/mysql/mysql-ledger.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { Prng } from '../simulation/prng.ts';
import { pointsCharge, pointsOrder, scheduleId, user } from './ledger-orders.ts';
import { expectSound, trade } from './ledger-trade.ts';
import { mysqlAt } from './mysql-connection.ts';
import { openLedgerAt } from './mysql-ledger-harness.ts';

/** Threads that end in the middle of a batch, and connections that are lost between any two statements. */
describe('the ledger in MySQL, when its threads and connections are lost', () => {
  let url: string;
  let ledger: MySqlLedger;
  let failedBatches: number;

  const open = async (lanes: number, at = url): Promise<void> => {
    failedBatches = 0;
    ledger = await openLedgerAt(url, {
      mysql: mysqlAt(at),
      lanes,
      observer: {
        onBatch: (_operations, _durationMs, outcome) => {
          if (outcome === 'failed') failedBatches += 1;
        },
        onFault: () => {},
      },
    });
  };

  beforeEach(async () => {
    url = await sharedMariaDb().createDatabase();
  });
  afterEach(async () => {
    await ledger.close();
    await sharedMariaDb().dropDatabase(url);
  });

  /** Trades until `harm`, done again and again, has failed batches enough. @returns the rounds of trade. */
  async function tradeWhile(harm: () => Promise<void>): Promise<number> {
    let rounds = 0;
    let isEnough = false;
    const harming = (async () => {
      while (failedBatches < 8) await harm();
    })().finally(() => {
      isEnough = true;
    });
    for (; !isEnough; rounds++) await trade([ledger], rounds);
    await harming;
    return rounds;
  }

  it.each([1, 4])(
    'threads killed again and again: everything is answered, nothing applied twice (%i lanes)',
    async (lanes) => {
      await open(lanes);
      const prng = new Prng(5);
      const rounds = await tradeWhile(async () => {
        await sleep(prng.between(5, 300));
        for (const thread of ledger.writerThreads) await thread.terminate();
      });
      await expectSound(ledger, rounds);
    },
  );

  it.each([1, 4])(
    'connections killed again and again: everything is answered, nothing applied twice (%i lanes)',
    async (lanes) => {
      await open(lanes);
      const prng = new Prng(6);
      const killer = await createConnection(url);
      const rounds = await tradeWhile(async () => {
        await sleep(prng.between(1, 30));
        await killOne(killer, prng);
      });
      await killer.end();
      await expectSound(ledger, rounds);
    },
  );

  describe('a connection that is cut at COMMIT', () => {
    let proxy: MysqlCuttingProxy;

    beforeEach(async () => {
      proxy = await MysqlCuttingProxy.start(url);
      await open(1, proxy.url);
      await ledger.charge(pointsCharge('ann', 500, 'first', 1000));
    });
    afterEach(() => proxy.stop());

    const points: [CutPoint][] = [['before-commit'], ['before-answer']];

    it.each(points)('%s: the payment is made once', async (point) => {
      proxy.cutAtNextCommit(point, /COMMIT/);
      expect(await ledger.payByPoints(pointsOrder(1, 'ann', 200), 2000)).toMatchObject({
        status: 'APPROVED',
        balance: 300,
      });
      expect(proxy.cuts).toBe(1);
      expect(failedBatches).toBe(1);
      const { entries } = await ledger.listEntries({ userId: user('ann'), limit: 10 });
      expect(entries.map(({ amount }) => amount)).toEqual([-200, 500]);
      expect((await ledger.auditSchedule(scheduleId)).accountFaults).toEqual([]);
    });

    it.each(points)('%s: the charge is made once', async (point) => {
      proxy.cutAtNextCommit(point, /COMMIT/);
      expect(await ledger.charge(pointsCharge('ann', 20, 'second', 2000))).toMatchObject({
        kind: 'charged',
        balance: 520,
        // The first attempt's answer was lost, and it had been carried out.
        replayed: point === 'before-answer',
      });
      expect(proxy.cuts).toBe(1);
      const { entries } = await ledger.listEntries({ userId: user('ann'), limit: 10 });
      expect(entries.map(({ amount }) => amount)).toEqual([20, 500]);
    });

    it('and one that is cut while it waits, which the next batch finds out', async () => {
      proxy.cutAll();
      expect(await ledger.charge(pointsCharge('ann', 20, 'second', 2000))).toMatchObject({ balance: 520 });
    });
  });
});

/** Any connection to the database, whatever it is doing. */
async function killOne(killer: Connection, prng: Prng): Promise<void> {
  const [rows] = await killer.query<RowDataPacket[]>(
    'SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()',
  );
  if (rows.length === 0) return;
  // It may have gone by itself.
  await killer.query(`KILL ${prng.pick(rows)['id']}`).catch(() => {});
}
