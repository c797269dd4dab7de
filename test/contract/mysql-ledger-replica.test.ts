import { createConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type MariaDb,
  type MariaDbReplica,
  startMariaDb,
  startReplica,
} from '../../scripts/servers/mariadb.ts';
import type { MySqlLedger } from '../../src/ledger/mysql/mysql-ledger.ts';
import { systemClock } from '../../src/system-clock.ts';
import { pointsCharge, user } from './ledger-orders.ts';
import { openLedgerAt } from './mysql-ledger-harness.ts';

describe('the ledger in MySQL with a replica', () => {
  let primary: MariaDb;
  let replica: MariaDbReplica;
  let ledger: MySqlLedger;
  let aheadMs: number;

  beforeAll(async () => {
    primary = await startMariaDb();
    replica = await startReplica(primary);
  });
  afterAll(async () => {
    await replica.stop();
    await primary.stop();
  });

  beforeEach(async () => {
    aheadMs = 0;
    const url = await primary.createDatabase();
    ledger = await openLedgerAt(url, {
      readUrl: replica.urlOf(url),
      clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs },
    });
    await charge('first');
    await replica.waitUntilCaughtUp();
    // It stands still from here on, so that what it answers can be told from what the primary does.
    await onReplica('STOP SLAVE');
    await charge('second');
  });
  afterEach(async () => {
    await ledger.close();
    await onReplica('START SLAVE');
  });

  const charge = (key: string) => ledger.charge(pointsCharge('ann', 100, key, 1000));
  async function onReplica(sql: string): Promise<void> {
    const root = await createConnection(replica.rootUrl);
    await root.query(sql);
    await root.end();
  }
  const entries = async () =>
    (await ledger.listEntries({ userId: user('ann'), limit: 10 })).entries.map(
      ({ balanceAfter }) => balanceAfter,
    );
  const asked = () => ledger.stats().pools.find(({ pool }) => pool === 'ledger-replica')!.gets;
  const onReplicaNow = [100];
  const onPrimaryNow = [200, 100];

  it('lists entries from the replica, and takes balances and audits from the primary', async () => {
    expect(await entries()).toEqual(onReplicaNow);
    expect(await ledger.balanceOf(user('ann'))).toBe(200);
    expect(ledger.stats().pools.map(({ pool, gets }) => [pool, gets])).toEqual([
      ['ledger', 1],
      ['ledger-audit', 0],
      ['ledger-replica', 1],
    ]);
  });

  it.each([
    ['dead', () => replica.kill9(), () => replica.restart()],
    ['hanging', async () => replica.suspend(), async () => replica.resume()],
  ])(
    'lists them from the primary while the replica is %s, and asks it again later',
    async (_, lose, recover) => {
      expect(await entries()).toEqual(onReplicaNow);
      await lose();
      try {
        const startedMs = performance.now();
        expect(await entries()).toEqual(onPrimaryNow);
        expect(performance.now() - startedMs).toBeLessThan(3_000);
        const askedBefore = asked();
        for (let i = 0; i < 5; i++) expect(await entries()).toEqual(onPrimaryNow);
        expect(asked()).toBe(askedBefore);
      } finally {
        await recover();
      }
      const askedBefore = asked();
      aheadMs += 5_001;
      await entries();
      expect(asked()).toBe(askedBefore + 1);
    },
  );
});
