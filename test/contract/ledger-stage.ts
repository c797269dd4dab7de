import { afterEach, beforeEach } from 'vitest';
import type { ChargeOutcome, PointsEntry } from '../../src/actors/runtime/ledger.ts';
import type { LedgerHarness, WholeLedger } from './ledger-harness.ts';
import { pointsCharge, user } from './ledger-orders.ts';

export const nowMs = 1_700_000_000_000;

interface LedgerStage {
  readonly ledger: WholeLedger;
  /** Closes the ledger and opens it again, as a restart does. */
  reopen(): Promise<void>;
  charge(payer: string, amount: number, key?: string, atMs?: number): Promise<ChargeOutcome>;
  balance(payer: string): Promise<number>;
  /** Newest first. */
  entries(payer: string): Promise<readonly PointsEntry[]>;
  amounts(payer: string): Promise<readonly number[]>;
}

/** A fresh ledger for each test of the suite that calls this. */
export function useLedger(newHarness: () => LedgerHarness): LedgerStage {
  let harness: LedgerHarness;
  let ledger: WholeLedger;

  beforeEach(async () => {
    harness = newHarness();
    ledger = await harness.open();
  });
  afterEach(async () => {
    await ledger.close();
    await harness.dispose();
  });

  const entries = async (payer: string) =>
    (await ledger.listEntries({ userId: user(payer), limit: 1000 })).entries;
  return {
    get ledger() {
      return ledger;
    },
    async reopen() {
      await ledger.close();
      ledger = await harness.open();
    },
    charge: (payer, amount, key = 'first', atMs = nowMs) =>
      ledger.charge(pointsCharge(payer, amount, key, atMs)),
    balance: (payer) => ledger.balanceOf(user(payer)),
    entries,
    amounts: async (payer) => (await entries(payer)).map(({ amount }) => amount),
  };
}
