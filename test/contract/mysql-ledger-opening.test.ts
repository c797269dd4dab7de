import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LedgerAudit, LedgerOverloaded } from '../../src/actors/runtime/ledger.ts';
import { StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import type { MySqlLedger } from '../../src/ledger/mysql/mysql-ledger.ts';
import { sharedMariaDb } from '../servers/shared-servers.ts';
import { pointsCharge, scheduleId, user } from './ledger-orders.ts';
import { expectSound, trade } from './ledger-trade.ts';
import { mysqlAt } from './mysql-connection.ts';
import { openLedgerAt } from './mysql-ledger-harness.ts';

describe('the ledger in MySQL', () => {
  let url: string;
  let ledger: MySqlLedger | undefined;

  const open = async (options: Parameters<typeof openLedgerAt>[1] = {}) => {
    ledger = await openLedgerAt(url, options);
    return ledger;
  };

  beforeEach(async () => {
    ledger = undefined;
    url = await sharedMariaDb().createDatabase();
  });
  afterEach(async () => {
    await ledger?.close();
    await sharedMariaDb().dropDatabase(url);
  });

  it('belongs to the journal in its database, whatever that one calls itself', async () => {
    const first = await open();
    const { installationId } = first;
    expect(await first.linkJournal('anything')).toBe(installationId);
    await first.close();
    expect((await open()).installationId).toBe(installationId);
  });

  it('is refused where nobody answers, where nobody is let in, and where a newer Usher was', async () => {
    const elsewhere = new URL(url);
    elsewhere.port = '1';
    await expect(open({ mysql: mysqlAt(elsewhere.href) })).rejects.toThrow(StoreUnavailable);
    const stranger = new URL(url);
    stranger.password = 'wrong';
    await expect(open({ mysql: mysqlAt(stranger.href) })).rejects.toThrow(/Access denied/);

    await (await open()).close();
    const shell = await createConnection(url);
    await shell.query(
      "UPDATE schema_version SET version = 99, oldest_working_version = 99 WHERE part = 'ledger'",
    );
    await expect(open()).rejects.toThrow(/version 99 of the ledger schema; this one knows 1/);
    await expect(open()).rejects.toThrow(StoreUnavailable);
    await shell.end();
  });

  it('takes no more calls and reads than its bounds', async () => {
    const bounded = await open({ operationsWaitingMax: 5, poolMax: 1 });
    const calls = Array.from({ length: 6 }, (_, i) =>
      bounded.charge(pointsCharge('ann', 1, `key-${i}`, 1000)),
    );
    expect(bounded.isOverloaded).toBe(true);
    await expect(calls[5]).rejects.toThrow(LedgerOverloaded);
    expect(await Promise.all(calls.slice(0, 5))).toHaveLength(5);
    expect(bounded.isOverloaded).toBe(false);

    // One that runs, a thousand that wait, and one more.
    const reads = Array.from({ length: 1002 }, () => bounded.balanceOf(user('ann')));
    await expect(reads[1001]).rejects.toThrow(LedgerOverloaded);
    expect(new Set(await Promise.all(reads.slice(0, 1001)))).toEqual(new Set([5]));
  });

  it('counts and tells slow statements of its thread and of its reads, without their values', async () => {
    const told: string[] = [];
    const slow = await open({
      mysql: { ...mysqlAt(url), slowStatementMs: 0 },
      onSlowStatement: (statement) => told.push(statement),
    });
    told.length = 0;
    const before = slow.stats().slowStatements;
    await slow.charge(pointsCharge('secret-ann', 1, 'first', 1000));
    await slow.balanceOf(user('secret-ann'));
    await expect.poll(() => told.length).toBeGreaterThan(2);
    expect(told).toContain('ledger: write and commit a batch');
    expect(told).toContain('SELECT balance FROM point_account WHERE user_id = ?');
    expect(told.join()).not.toContain('secret');
    expect(slow.stats().slowStatements - before).toBe(told.length);
  });

  it('audits from one view of accounts and payments, while payments go on', async () => {
    const traded = await open();
    const audits: LedgerAudit[] = [];
    let isOver = false;
    const auditing = (async () => {
      while (!isOver) audits.push(await traded.auditSchedule(scheduleId));
    })();
    for (let round = 0; round < 3; round++) await trade([traded], round);
    isOver = true;
    await auditing;
    expect(audits.length).toBeGreaterThan(5);
    expect(new Set(audits.map(({ payments }) => payments.length)).size).toBeGreaterThan(2);
    expect(audits.flatMap(({ accountFaults }) => accountFaults)).toEqual([]);
    await expectSound(traded, 3);
  });

  it('leaves no connection behind when it is closed', async () => {
    const closed = await open({ lanes: 4 });
    for (const payer of ['ann', 'bob', 'cem', 'dan', 'eva', 'fay']) {
      await closed.charge(pointsCharge(payer, 10, 'first', 1000));
    }
    await closed.auditSchedule(scheduleId);
    const shell = await createConnection(url);
    const connections = async () => {
      const [rows] = await shell.query<RowDataPacket[]>(
        'SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()',
      );
      return rows.length;
    };
    expect(await connections()).toBeGreaterThan(2);
    await closed.close();
    await expect.poll(connections).toBe(0);
    await shell.end();
  });
});
