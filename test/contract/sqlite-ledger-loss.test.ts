import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChargeOutcome, PaymentRecord } from '../../src/actors/runtime/ledger.ts';
import { openSqliteLedger, type SqliteLedger } from '../../src/ledger/sqlite/sqlite-ledger.ts';
import { systemClock } from '../../src/system-clock.ts';
import { Prng } from '../simulation/prng.ts';
import { ledgerDirectory } from './ledger-harness.ts';
import { pointsCharge, pointsOrder, scheduleId, user } from './ledger-orders.ts';
import { expectSound, trade } from './ledger-trade.ts';

/** Threads that end in the middle of a call. */
describe('the ledger in SQLite, when its threads are lost', () => {
  let directory: string;
  let ledger: SqliteLedger;
  let failedBatches: number;

  const open = async (callLimitMs: number, lanes: number): Promise<void> => {
    failedBatches = 0;
    ledger = await openSqliteLedger({
      directory,
      lanes,
      callLimitMs,
      clock: systemClock,
      observer: {
        onBatch: (_operations, _durationMs, outcome) => {
          if (outcome === 'failed') failedBatches += 1;
        },
        onFault: () => {},
      },
    });
  };

  beforeEach(() => {
    directory = ledgerDirectory();
  });
  afterEach(async () => {
    await ledger.close();
    rmSync(directory, { recursive: true });
  });

  async function expectSoundAfterAll(rounds: number): Promise<void> {
    await ledger.close();
    await open(10_000, 1);
    await expectSound(ledger, rounds);
  }

  it.each([1, 2])(
    'killed again and again: everything is answered, nothing applied twice (%i lanes)',
    async (lanes) => {
      await open(10_000, lanes);
      const prng = new Prng(5);
      const killsMin = 12;
      let kills = 0;
      const killing = (async () => {
        for (; kills < killsMin; kills++) {
          await sleep(prng.between(5, 120));
          if (ledger.writerThreads.length > 0) await prng.pick(ledger.writerThreads).terminate();
        }
      })();
      let rounds = 0;
      for (; kills < killsMin; rounds++) await trade([ledger], rounds);
      await killing;
      expect(failedBatches).toBeGreaterThan(5);
      await expectSoundAfterAll(rounds);
    },
  );

  it('given up by a limit that is too short: the same, and a late commit does no harm', async () => {
    // A thread needs longer than most of these to start, so what fails once is given up.
    const limitsMs = [3, 12, 60];
    let failed = 0;
    for (const [round, limitMs] of limitsMs.entries()) {
      await open(limitMs, 1);
      const charge = pointsCharge('payer-0', 1000, `round-${round}`, 1000);
      const orders = Array.from({ length: 800 }, (_, i) => pointsOrder(round * 800 + i + 1, 'payer-0', 1));
      const calls = [ledger.charge(charge), ...orders.map((order) => ledger.payByPoints(order, 2000))];
      const outcomes = await Promise.allSettled<ChargeOutcome | PaymentRecord>(calls);
      failed += failedBatches;
      const reasons = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason.name] : []));
      expect(reasons.filter((name) => name !== 'LedgerUnavailable')).toEqual([]);
      await ledger.close();

      // Who has no answer asks again, and what was answered stands.
      await open(10_000, 1);
      expect(await ledger.charge(charge)).toMatchObject({ kind: 'charged' });
      for (const [i, record] of (
        await Promise.all(orders.map((order) => ledger.payByPoints(order, 2000)))
      ).entries()) {
        const outcome = outcomes[i + 1]!;
        if (outcome.status === 'fulfilled') expect(outcome.value).toMatchObject({ status: record.status });
      }
      await ledger.close();
    }
    expect(failed).toBeGreaterThan(0);
    await open(10_000, 1);
    const { accountFaults, payments } = await ledger.auditSchedule(scheduleId);
    expect(accountFaults).toEqual([]);
    const { entries } = await ledger.listEntries({ userId: user('payer-0'), limit: 100_000 });
    expect(entries.filter(({ kind }) => kind === 'charge')).toHaveLength(limitsMs.length);
    expect(entries.filter(({ kind }) => kind === 'payment')).toHaveLength(payments.length);
    expect(await ledger.balanceOf(user('payer-0'))).toBe(limitsMs.length * 1000 - payments.length);
  });

  it('killed while they start: the calls that wait are not left without a thread', async () => {
    await open(10_000, 1);
    const startedMs = performance.now();
    for (let i = 0; i < 8; i++) {
      const charged = ledger.charge(pointsCharge('ann', 100, `key-${i}`, 1000));
      for (let kill = 0; kill < 3; kill++) {
        await Promise.all(ledger.writerThreads.map((thread) => thread.terminate()));
        // Past the lane's first pause: the call waits again, and its thread is not ready yet.
        await sleep(15);
      }
      expect(await charged).toMatchObject({ kind: 'charged' });
    }
    expect(await ledger.balanceOf(user('ann'))).toBe(800);
    expect(performance.now() - startedMs).toBeLessThan(9000);
  });

  it('waits for a lock that a shell holds, and carries on when it is gone', async () => {
    await open(10_000, 1);
    await ledger.charge(pointsCharge('ann', 500, 'first', 1000));
    const shell = new DatabaseSync(join(directory, 'ledger.db'));
    shell.exec('BEGIN IMMEDIATE');
    const paid = ledger.payByPoints(pointsOrder(1, 'ann', 200), 2000);
    await sleep(1200);
    // Reads go on meanwhile.
    expect(await ledger.balanceOf(user('ann'))).toBe(500);
    shell.exec('ROLLBACK');
    shell.close();
    expect(await paid).toMatchObject({ status: 'APPROVED', balance: 300 });
    expect(failedBatches).toBe(1);
  });
});
