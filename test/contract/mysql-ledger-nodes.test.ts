import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MySqlLedger } from '../../src/ledger/mysql/mysql-ledger.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { pointsCharge, pointsOrder, scheduleId, user } from './ledger-orders.ts';
import { expectSound, trade } from './ledger-trade.ts';
import { openLedgerAt } from './mysql-ledger-harness.ts';

/** Nodes that serve the same users, each with its own lanes. Their numbers differ, so that batches cross. */
describe('two ledgers on one database', () => {
  let url: string;
  let ledgers: MySqlLedger[];
  let faults: unknown[];

  beforeEach(async () => {
    faults = [];
    url = await sharedMariaDb().createDatabase();
    const observer = { onBatch: () => {}, onFault: (_: string, error: unknown) => faults.push(error) };
    // At the same moment, as after a deployment: one of them makes the tables.
    ledgers = await Promise.all([4, 3].map((lanes) => openLedgerAt(url, { lanes, observer })));
  });
  afterEach(async () => {
    await Promise.all(ledgers.map((ledger) => ledger.close()));
    await sharedMariaDb().dropDatabase(url);
  });

  it('are one installation', () => {
    const ids = ledgers.map(({ installationId }) => installationId);
    expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  it('carry each operation out once, whoever of them is asked, and no batch ever fails', async () => {
    const rounds = 8;
    for (let round = 0; round < rounds; round++) await trade(ledgers, round);
    // A deadlock, or a wait that was given up, would be among them.
    expect(faults).toEqual([]);
    for (const ledger of ledgers) await expectSound(ledger, rounds);
  });

  it('make one entry of a charge that comes to both, and answer the same', async () => {
    for (let i = 0; i < 50; i++) {
      const payer = `user-${i % 10}`;
      const charge = pointsCharge(payer, 100, `key-${i}`, 1000);
      const outcomes = await Promise.all(ledgers.map((ledger) => ledger.charge(charge)));
      const fresh = outcomes.filter((outcome) => outcome.kind === 'charged' && !outcome.replayed);
      expect(fresh).toHaveLength(1);
      expect(outcomes).toEqual(
        outcomes.map((outcome) => ({
          ...fresh[0],
          replayed: outcome.kind === 'charged' && outcome.replayed,
        })),
      );
    }
    for (let u = 0; u < 10; u++) expect(await ledgers[0]!.balanceOf(user(`user-${u}`))).toBe(500);
  });

  it('number the entries of an account in the order in which they were made', async () => {
    await ledgers[0]!.charge(pointsCharge('ann', 1000, 'first', 1000));
    await Promise.all(
      Array.from({ length: 300 }, (_, i) => ledgers[i % 2]!.payByPoints(pointsOrder(i + 1, 'ann', 2), 2000)),
    );
    const { entries } = await ledgers[1]!.listEntries({ userId: user('ann'), limit: 1000 });
    const balances = entries.map(({ balanceAfter }) => balanceAfter).reverse();
    expect(balances).toEqual(Array.from({ length: 301 }, (_, i) => 1000 - 2 * i));
    expect((await ledgers[0]!.auditSchedule(scheduleId)).accountFaults).toEqual([]);
  });

  it('agree on a payment that one of them begins and the other cancels', async () => {
    await ledgers[0]!.charge(pointsCharge('ann', 1000, 'first', 1000));
    const orders = Array.from({ length: 200 }, (_, i) => pointsOrder(i + 1, 'ann', 1));
    const paid = orders.map((order, i) => ledgers[i % 2]!.payByPoints(order, 2000));
    const settled = orders.map((order, i) => ledgers[(i + 1) % 2]!.cancelUnlessBegun(order, 2000));
    const statuses = (await Promise.all(paid)).map(({ status }) => status);
    expect((await Promise.all(settled)).map(({ status }) => status)).toEqual(statuses);
    const approved = statuses.filter((status) => status === 'APPROVED').length;
    expect(await ledgers[0]!.balanceOf(user('ann'))).toBe(1000 - approved);
    expect(faults).toEqual([]);
  });
});
