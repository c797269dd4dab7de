import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerOverloaded, LedgerUnavailable } from '../../src/actors/runtime/ledger.ts';
import { StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/sqlite-ledger.ts';
import { systemClock } from '../../src/system-clock.ts';
import { ledgerDirectory, silent } from './ledger-harness.ts';
import { pointsCharge, pointsOrder, user } from './ledger-orders.ts';

describe('the file of the ledger', () => {
  let directory: string;

  beforeEach(() => {
    directory = ledgerDirectory();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const open = (options: { callLimitMs?: number; directory?: string; operationsWaitingMax?: number } = {}) =>
    openSqliteLedger({ directory, clock: systemClock, observer: silent, ...options });

  it('is whole when the ledger is closed: nothing is left beside it', async () => {
    const ledger = await open();
    await ledger.charge(pointsCharge('ann', 500, 'first', 1000));
    expect(await ledger.balanceOf(user('ann'))).toBe(500);
    await ledger.close();
    expect(readdirSync(directory)).toEqual(['ledger.db']);
  });

  it('is for its owner alone, and so is what lies beside it, also when it was not before', async () => {
    const modes = () =>
      readdirSync(directory)
        .sort()
        .map((name) => `${name} ${(statSync(join(directory, name)).mode & 0o777).toString(8)}`);
    const all = ['ledger.db 600', 'ledger.db-shm 600', 'ledger.db-wal 600'];
    const first = await open();
    await first.charge(pointsCharge('ann', 500, 'first', 1000));
    await first.balanceOf(user('ann'));
    expect(modes()).toEqual(all);
    await first.close();
    chmodSync(join(directory, 'ledger.db'), 0o644);
    const second = await open();
    await second.charge(pointsCharge('ann', 500, 'second', 1000));
    expect(modes()).toEqual(all);
    await second.close();
  });

  it('is refused, untouched, when a newer Usher wrote it', async () => {
    await (await open()).close();
    const db = new DatabaseSync(join(directory, 'ledger.db'));
    db.exec('PRAGMA user_version = 99');
    const opening = open();
    await expect(opening).rejects.toThrow(StoreUnavailable);
    await expect(opening).rejects.toThrow(/ledger\.db has schema version 99, .* knows versions up to 1$/);
    expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 99 });
    db.close();
  });

  it('is named when it is no database', async () => {
    writeFileSync(join(directory, 'ledger.db'), 'x'.repeat(5000));
    const opening = open();
    await expect(opening).rejects.toThrow(StoreUnavailable);
    await expect(opening).rejects.toThrow(
      `cannot open ${join(directory, 'ledger.db')}: file is not a database`,
    );
  });

  it('is named when its directory is missing', async () => {
    const missing = join(directory, 'missing');
    await expect(open({ directory: missing })).rejects.toThrow(
      `cannot open ${join(missing, 'ledger.db')}: unable to open`,
    );
  });

  it('that is locked all the time makes calls unavailable, with nothing of them in it', async () => {
    const ledger = await open({ callLimitMs: 30 });
    await ledger.charge(pointsCharge('ann', 500, 'first', 1000));
    const shell = new DatabaseSync(join(directory, 'ledger.db'));
    shell.exec('BEGIN IMMEDIATE');
    const paid = ledger.payByPoints(pointsOrder(1, 'ann', 200), 2000);
    await expect(paid).rejects.toThrow(LedgerUnavailable);
    await expect(paid).rejects.toThrow('no answer from the ledger within 30 ms');
    shell.exec('ROLLBACK');
    expect(shell.prepare('SELECT count(*) AS payments FROM payment').get()).toMatchObject({ payments: 0 });
    shell.close();
    await ledger.close();
  });

  it('takes no more calls and reads than its bounds', async () => {
    const ledger = await open({ operationsWaitingMax: 5 });
    const calls = Array.from({ length: 6 }, (_, i) =>
      ledger.charge(pointsCharge('ann', 1, `key-${i}`, 1000)),
    );
    expect(ledger.isOverloaded).toBe(true);
    await expect(calls[5]).rejects.toThrow(LedgerOverloaded);
    expect(await Promise.all(calls.slice(0, 5))).toHaveLength(5);
    expect(ledger.isOverloaded).toBe(false);

    const reads = Array.from({ length: 1001 }, () => ledger.balanceOf(user('ann')));
    await expect(reads[1000]).rejects.toThrow(LedgerOverloaded);
    expect(new Set(await Promise.all(reads.slice(0, 1000)))).toEqual(new Set([5]));
    await ledger.close();
  });
});
