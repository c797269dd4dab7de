import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { idempotencyWindowMs } from '../../../../src/actors/allocator/idempotency-window.ts';
import { BatchRefused } from '../../../../src/ledger/book.ts';
import { AuditRows } from '../../../../src/ledger/sqlite/audit-rows.ts';
import { ledgerMigrations } from '../../../../src/ledger/sqlite/ledger-migrations.ts';
import { SqliteBook } from '../../../../src/ledger/sqlite/sqlite-book.ts';
import { migrate } from '../../../../src/sqlite/migrate.ts';
import { cardOrder, pointsCharge, pointsOrder, scheduleId } from '../../../contract/ledger-orders.ts';

describe('the tables of the ledger', () => {
  let db: DatabaseSync;
  let book: SqliteBook;

  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    migrate(db, ledgerMigrations);
    book = new SqliteBook(db);
  });
  afterEach(() => db.close());

  const column = (sql: string) =>
    db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)[0]);
  const charge = (payer: string, amount: number, key = 'first', atMs = 1000) =>
    book.apply([{ kind: 'charge', charge: pointsCharge(payer, amount, key, atMs) }]);
  const pay = (number: number, payer: string, amount: number) =>
    book.apply([{ kind: 'pay-by-points', order: pointsOrder(number, payer, amount), atMs: 2000 }]);

  it('are STRICT throughout', () => {
    const tables = db
      .prepare(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'",
      )
      .all();
    expect(tables.map(({ name }) => name).sort()).toEqual([
      'charge_mark',
      'installation',
      'payment',
      'point_account',
      'point_entry',
    ]);
    for (const table of tables) expect(table).toMatchObject({ strict: 1 });
  });

  it('are untouched by a batch with an operation that is refused', () => {
    charge('ann', 500);
    const order = pointsOrder(1, 'ann', 100);
    expect(() =>
      book.apply([
        { kind: 'pay-by-points', order, atMs: 1 },
        { kind: 'refund', order: pointsOrder(2, 'ann', 100), reference: undefined, atMs: 1 },
      ]),
    ).toThrow(BatchRefused);
    expect(column('SELECT balance FROM point_account')).toEqual([500]);
    expect(column('SELECT count(*) FROM payment')).toEqual([0]);
  });

  it('hold a second debit of a payment off, whatever the rules let through', () => {
    charge('ann', 500);
    pay(1, 'ann', 100);
    db.exec('DELETE FROM payment');
    expect(() => pay(1, 'ann', 100)).toThrow(BatchRefused);
    expect(column('SELECT balance FROM point_account')).toEqual([400]);
  });

  it('keep a card token until the payment is decided, and the gateway’s names for good', () => {
    const order = cardOrder(1, 'ann', 100);
    book.apply([{ kind: 'open-card', order, atMs: 1 }]);
    expect(column('SELECT card_token FROM payment')).toEqual(['token-1']);
    book.apply([{ kind: 'close-card', order, result: { status: 'APPROVED', reference: 'ch_1' }, atMs: 2 }]);
    book.apply([{ kind: 'refund', order, reference: 're_1', atMs: 3 }]);
    expect({ ...db.prepare('SELECT * FROM payment').get() }).toMatchObject({
      card_token: null,
      reference: 'ch_1',
      refund_reference: 're_1',
      created_at_ms: 1,
      settled_at_ms: 2,
      refunded_at_ms: 3,
    });
  });

  it('forget charges that are too old, two for each new one, and no younger one', () => {
    for (let i = 0; i < 7; i++) charge('ann', 1, `old-${i}`, 1000 + i);
    charge('ann', 1, 'young', 1000 + idempotencyWindowMs);
    const later = 1000 + 1.5 * idempotencyWindowMs;
    const left: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      charge('ann', 1, `new-${i}`, later);
      left.push(...column("SELECT count(*) FROM charge_mark WHERE key LIKE 'old%'"));
    }
    expect(left).toEqual([5, 3, 1, 0, 0]);
    expect(column("SELECT key FROM charge_mark WHERE key = 'young'")).toEqual(['young']);
    expect(column('SELECT count(*) FROM point_entry')).toEqual([13]);
  });

  describe('an audit finds', () => {
    beforeEach(() => {
      charge('ann', 500);
      charge('bob', 500);
      pay(1, 'ann', 100);
      pay(2, 'bob', 100);
      pay(3, 'cem', 100);
    });

    const faults = () => new AuditRows(db).auditSchedule(scheduleId).accountFaults;

    it('nothing in what the book wrote', () => {
      expect(new AuditRows(db).auditSchedule(scheduleId)).toMatchObject({
        accountFaults: [],
        accountsChecked: 3,
      });
    });

    it.each([
      [
        'UPDATE point_account SET balance = 401 WHERE user_id = ?',
        'its balance is 401, the sum of its entries 400',
      ],
      ['DELETE FROM point_account WHERE user_id = ?', 'its balance is 0, the sum of its entries 400'],
      [
        'UPDATE payment SET amount_minor = 99 WHERE user_id = ?',
        'payment 3 has the amount -100, its payment 99',
      ],
      ['UPDATE payment SET status = 4 WHERE user_id = ?', '7-1-10 is REFUNDED and has no refund'],
      ['UPDATE payment SET status = 3 WHERE user_id = ?', 'payment 3 is of a payment that is CANCELLED'],
      ["UPDATE payment SET payment_id = 'x' WHERE user_id = ?", 'payment 3 has no payment 7-1-10'],
      [
        'UPDATE point_entry SET balance_after = 7 WHERE amount < 0 AND user_id = ?',
        'entry 3 leaves 7, and its sum is 400',
      ],
    ])('%s', (sql, fault) => {
      db.prepare(sql).run('ann');
      expect(faults()).toEqual([`account ann: ${fault}`]);
    });

    it('a debit of a payment that was declined', () => {
      db.exec("INSERT INTO point_account VALUES ('cem', 0)");
      db.exec(`INSERT INTO point_entry VALUES (10, 'cem', 0, 100, 100, NULL, NULL, NULL, 1),
        (11, 'cem', 1, -100, 0, '7-3-30', 7, 3, 1)`);
      expect(faults()).toEqual(['account cem: payment 11 is of a payment that is DECLINED']);
    });
  });
});
