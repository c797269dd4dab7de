import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger, LedgerAuditor, PointsReader } from '../../src/actors/runtime/ledger.ts';
import type { LedgerObserver } from '../../src/ledger/ledger-observer.ts';
import { MemoryLedger } from '../../src/ledger/memory/memory-ledger.ts';
import { emptyMemoryLedgerData } from '../../src/ledger/memory/memory-ledger-data.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/sqlite-ledger.ts';
import { systemClock } from '../../src/system-clock.ts';

export type WholeLedger = Ledger & PointsReader & LedgerAuditor;

/** One set of accounts, which a test may open, close and open again. */
export interface LedgerHarness {
  open(): Promise<WholeLedger>;
  /** Removes the data; every ledger is closed by then. */
  dispose(): void | Promise<void>;
}

export const silent: LedgerObserver = { onBatch: () => {}, onFault: () => {} };

export const ledgerDirectory = (): string => mkdtempSync(join(tmpdir(), 'usher-ledger-'));

export function memoryLedgerHarness(): LedgerHarness {
  const data = emptyMemoryLedgerData();
  return {
    open: async () =>
      new MemoryLedger({
        data,
        lanes: 2,
        operationsWaitingMax: 10_000,
        clock: systemClock,
        observer: silent,
      }),
    dispose: () => {},
  };
}

export const sqliteLedgerHarness = (lanes: number) => (): LedgerHarness => {
  const directory = ledgerDirectory();
  return {
    open: () => openSqliteLedger({ directory, lanes, clock: systemClock, observer: silent }),
    dispose: () => rmSync(directory, { recursive: true }),
  };
};
