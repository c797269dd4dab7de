import { describe, expect, it } from 'vitest';
import { decideBatch } from '../../../../src/ledger/decide-batch.ts';
import { LockedRows } from '../../../../src/ledger/mysql/locked-rows.ts';
import { writeStatements } from '../../../../src/ledger/mysql/write-statements.ts';
import type { LedgerOperation } from '../../../../src/ledger/operation.ts';
import { cardOrder, pointsCharge, pointsOrder, user } from '../../../contract/ledger-orders.ts';

describe('the statements of a batch', () => {
  const rows = () =>
    new LockedRows(
      [
        [user('ann'), 100],
        [user('bob'), 0],
      ],
      [],
      [['ann old', 1, 5, 100, 0]],
    );
  const written = (operations: readonly LedgerOperation[], oldMarks: readonly string[] = []) =>
    writeStatements(decideBatch(operations, rows()).changes, oldMarks).map((sql) => sql.replace(/\s+/g, ' '));
  const charge = (payer: string, amount: number, key: string): LedgerOperation => ({
    kind: 'charge',
    charge: pointsCharge(payer, amount, key, 1000),
  });

  it('move each balance by the sum of its entries, and never set it', () => {
    const statements = written([
      charge('bob', 7, 'k'),
      { kind: 'pay-by-points', order: pointsOrder(1, 'ann', 30), atMs: 2000 },
      { kind: 'pay-by-points', order: pointsOrder(2, 'ann', 20), atMs: 2000 },
    ]);
    expect(statements.map((sql) => sql.split(' ', 3).join(' '))).toEqual([
      'INSERT INTO point_entry',
      'INSERT INTO point_account',
      'INSERT INTO charge_mark',
      'INSERT INTO payment',
    ]);
    expect(statements[0]).toContain(
      "('bob',0,7,7,NULL,NULL,NULL,1000),('ann',1,-30,70,'7-1-10',7,1,2000),('ann',1,-20,50,'7-2-20',7,2,2000)",
    );
    expect(statements[1]).toContain(
      "VALUES ('bob',0,7),('ann',0,-50) ON DUPLICATE KEY UPDATE balance = balance + VALUES(moved)",
    );
  });

  it('name an entry of the batch by its place after the first', () => {
    const [, , marks] = written([charge('ann', 5, 'a'), charge('ann', 6, 'old'), charge('bob', 7, 'b')]);
    // The second is of a key that another charge has: nothing is written of it.
    expect(marks).toContain(
      "VALUES ('ann a',5,LAST_INSERT_ID()+0,105,1000),('bob b',7,LAST_INSERT_ID()+1,7,1000)",
    );
  });

  it('change a payment that is there, and add one that is not', () => {
    const order = cardOrder(1, 'ann', 10);
    const opened: LedgerOperation = { kind: 'open-card', order, atMs: 1000 };
    const closed: LedgerOperation = {
      kind: 'close-card',
      order,
      result: { status: 'APPROVED', reference: "it's" },
      atMs: 2000,
    };
    const [added] = written([opened, closed]);
    expect(added).not.toContain('ON DUPLICATE KEY');
    expect(added).toContain(`'it\\'s'`);
  });

  it('are none for a batch that finds everything done', () => {
    expect(written([{ kind: 'charge', charge: { ...pointsCharge('ann', 1, 'old', 500) } }])).toEqual([]);
  });

  it('are not decided on an account that the batch does not hold', () => {
    expect(() => written([charge('cem', 1, 'k')])).toThrow('the batch holds the account of cem');
  });
});
