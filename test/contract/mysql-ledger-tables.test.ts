import { describe, expect, it } from 'vitest';
import { idempotencyWindowMs } from '../../src/actors/allocator/idempotency-window.ts';
import { BatchRefused } from '../../src/ledger/book.ts';
import { batchKeys } from '../../src/ledger/mysql/batch-keys.ts';
import { lockStatements } from '../../src/ledger/mysql/lock-statements.ts';
import * as auditQueries from '../../src/ledger/mysql/mysql-auditor.ts';
import { MySqlAuditor } from '../../src/ledger/mysql/mysql-auditor.ts';
import * as pointsQueries from '../../src/ledger/mysql/mysql-points-reader.ts';
import { forgetMarks } from '../../src/ledger/mysql/write-statements.ts';
import type { LedgerOperation } from '../../src/ledger/operation.ts';
import { cardOrder, pointsCharge, pointsOrder, scheduleId } from './ledger-orders.ts';
import { useMySqlBook } from './mysql-book-stage.ts';

describe('the tables of the ledger in MySQL', () => {
  const stage = useMySqlBook();

  const charge = (payer: string, amount: number, key = 'first', atMs = 1000) =>
    stage.book.apply([{ kind: 'charge', charge: pointsCharge(payer, amount, key, atMs) }]);
  const payment = (number: number, payer: string, amount: number): LedgerOperation => ({
    kind: 'pay-by-points',
    order: pointsOrder(number, payer, amount),
    atMs: 2000,
  });
  const pay = (number: number, payer: string, amount: number) =>
    stage.book.apply([payment(number, payer, amount)]);

  it('are of InnoDB, with rows and text of one format, whatever the server prefers', async () => {
    const tables = await stage.query(
      `SELECT table_name AS name, engine, row_format AS format, table_collation AS collation
       FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name <> 'schema_version'
       ORDER BY table_name`,
    );
    expect(tables.map(({ name }) => name)).toEqual([
      'charge_mark',
      'installation',
      'payment',
      'point_account',
      'point_entry',
    ]);
    for (const { name, engine, format, collation } of tables) {
      expect([engine, format], name).toEqual(['InnoDB', 'Dynamic']);
      if (name !== 'installation') expect(collation, name).toBe('utf8mb4_bin');
    }
    const keys = await stage.column(
      `SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns
       WHERE table_schema = DATABASE() AND column_name IN ('user_id', 'payment_id', 'name')
         AND collation_name <> 'ascii_bin'`,
    );
    expect(keys).toEqual([]);
  });

  it('are untouched by a batch with an operation that is refused', async () => {
    await charge('ann', 500);
    const refund: LedgerOperation = {
      kind: 'refund',
      order: pointsOrder(2, 'ann', 100),
      reference: undefined,
      atMs: 1,
    };
    await expect(stage.book.apply([payment(1, 'ann', 100), refund])).rejects.toThrow(BatchRefused);
    expect(await stage.column('SELECT balance FROM point_account')).toEqual([500]);
    expect(await stage.column('SELECT COUNT(*) FROM payment')).toEqual([0]);
  });

  it('keep names apart that differ in their case alone', async () => {
    await charge('ann', 1);
    await charge('Ann', 2);
    await charge('ann', 4, 'FIRST');
    expect(await stage.column('SELECT balance FROM point_account ORDER BY user_id')).toEqual([2, 5]);
    expect(await stage.column('SELECT COUNT(*) FROM charge_mark')).toEqual([3]);
  });

  describe('hold off, whatever the rules let through,', () => {
    it('a second debit of a payment', async () => {
      await charge('ann', 500);
      await pay(1, 'ann', 100);
      await stage.query('DELETE FROM payment');
      await expect(pay(1, 'ann', 100)).rejects.toThrow(BatchRefused);
      expect(await stage.column('SELECT balance FROM point_account')).toEqual([400]);
      expect(await stage.column('SELECT COUNT(*) FROM payment')).toEqual([0]);
    });

    it.each(['point_account', 'point_entry'])('a balance below zero, in %s', async (table) => {
      await charge('ann', 500);
      const column = table === 'point_account' ? 'balance' : 'balance_after';
      await expect(stage.query(`UPDATE ${table} SET ${column} = -1`)).rejects.toThrow(/constraint/i);
    });

    it('a payment that was decided on a balance which is not there any more', async () => {
      await charge('ann', 500);
      // As if another batch had taken the points after this one has read the balance, lock or no lock.
      const statement = 'UPDATE point_account SET balance = 99';
      const raw = stage.session.raw.bind(stage.session);
      let isRead = false;
      stage.session.raw = async (name, sql) => {
        // In this session's own transaction, because its rows are locked.
        if (isRead) await raw('take the points', statement);
        isRead = true;
        return raw(name, sql);
      };
      await expect(pay(1, 'ann', 100)).rejects.toThrow(BatchRefused);
      expect(await stage.column('SELECT balance FROM point_account')).toEqual([500]);
      expect(await stage.column('SELECT COUNT(*) FROM payment')).toEqual([0]);
    });
  });

  it('keep a card token until the payment is decided, and the gateway’s names for good', async () => {
    const order = cardOrder(1, 'ann', 100);
    await stage.book.apply([{ kind: 'open-card', order, atMs: 1 }]);
    expect(await stage.column('SELECT card_token FROM payment')).toEqual(['token-1']);
    const result = { status: 'APPROVED', reference: 'ch_1' } as const;
    await stage.book.apply([{ kind: 'close-card', order, result, atMs: 2 }]);
    await stage.book.apply([{ kind: 'refund', order, reference: 're_1', atMs: 3 }]);
    expect(await stage.query('SELECT * FROM payment')).toMatchObject([
      {
        card_token: null,
        reference: 'ch_1',
        refund_reference: 're_1',
        created_at_ms: 1,
        settled_at_ms: 2,
        refunded_at_ms: 3,
      },
    ]);
  });

  it('forget charges that are too old, two for each new one, and no younger one', async () => {
    for (let i = 0; i < 7; i++) await charge('ann', 1, `old-${i}`, 1000 + i);
    await charge('ann', 1, 'young', 1000 + idempotencyWindowMs);
    const later = 1000 + 1.5 * idempotencyWindowMs;
    const left: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      await charge('ann', 1, `new-${i}`, later);
      left.push(...(await stage.column("SELECT COUNT(*) FROM charge_mark WHERE name LIKE 'ann old%'")));
    }
    expect(left).toEqual([5, 3, 1, 0, 0]);
    expect(await stage.column("SELECT name FROM charge_mark WHERE name = 'ann young'")).toEqual([
      'ann young',
    ]);
    expect(await stage.column('SELECT COUNT(*) FROM point_entry')).toEqual([13]);
  });

  it('keep the mark that a charge renews, though it was old enough to be forgotten', async () => {
    await charge('ann', 1, 'again', 1000);
    const later = 1000 + 2 * idempotencyWindowMs;
    expect(await charge('ann', 1, 'again', later)).toMatchObject([{ replayed: false, balance: 2 }]);
    expect(await charge('ann', 1, 'again', later + 1)).toMatchObject([{ replayed: true, balance: 2 }]);
  });

  describe('are read by an index', () => {
    const { balanceQuery, entriesQuery } = pointsQueries;
    const { paymentsQuery, balancesQuery } = auditQueries;
    const payers = Array.from({ length: 100 }, (_, i) => `payer-${i}`);
    const operations = (count: number) =>
      payers
        .slice(0, count)
        .flatMap((payer, i): LedgerOperation[] => [
          { kind: 'charge', charge: pointsCharge(payer, 100, `key-${i}`, 1000) },
          payment(i + 1, payer, 10),
        ]);

    const queries: [string, string, unknown[]][] = [
      ['balance', balanceQuery, ['payer-1']],
      ['entries', entriesQuery, ['payer-1', Number.MAX_SAFE_INTEGER, 21]],
      ['payments of an audit', paymentsQuery, [scheduleId, '7-1-10', 1000]],
      ['balances of an audit', balancesQuery, [payers.slice(0, 20)]],
      ['entries of an audit', auditQueries.entriesQuery, [payers.slice(0, 20)]],
      ['old marks to forget, of a batch', forgetMarks(['payer-1 key-1', 'payer-2 key-2'], 2000), []],
      ...Object.entries(lockStatements(batchKeys(operations(50)))).map(
        ([name, sql]): [string, string, unknown[]] => [`${name} of a batch`, sql ?? '', []],
      ),
    ];

    it.each(queries)('%s', async (name, sql, values) => {
      // With a few rows a server thinks that reading all of them is cheapest, with more it doesn't.
      for (const count of [3, 100]) {
        await stage.book.apply(operations(count));
        await stage.query('ANALYZE TABLE point_account, point_entry, payment, charge_mark');
        for (const row of await stage.query(`EXPLAIN ${sql}`, values)) {
          const plan = `${count} users: ${JSON.stringify(row)}`;
          // By MySQL's reference: of all the rest, each reads what its keys name.
          expect(['const', 'eq_ref', 'ref', 'range'], plan).toContain(row['type']);
          expect(row['key'], plan).not.toBeNull();
          // A batch takes its rows as it finds them, which must be in the order of its keys.
          if (name.endsWith('of a batch')) expect(row['Extra'] ?? '', plan).not.toMatch(/filesort|temporary/);
        }
      }
    });
  });

  describe('an audit finds', () => {
    const auditor = new MySqlAuditor({
      primary: stage.reads,
      auditLimitMs: 10_000,
      clock: { monotonicMs: () => 0 },
    });
    const faults = async () => (await auditor.auditSchedule(scheduleId)).accountFaults;
    const trade = async () => {
      await charge('ann', 500);
      await charge('bob', 500);
      await pay(1, 'ann', 100);
      await pay(2, 'bob', 100);
      await pay(3, 'cem', 100);
    };

    it('nothing in what the book wrote', async () => {
      await trade();
      expect(await auditor.auditSchedule(scheduleId)).toMatchObject({
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
      ["UPDATE payment SET payment_id = 'x' WHERE user_id = ?", 'payment 3 has no payment 7-1-10'],
      [
        'UPDATE point_entry SET balance_after = 7 WHERE amount < 0 AND user_id = ?',
        'entry 3 leaves 7, and its sum is 400',
      ],
    ])('%s', async (sql, fault) => {
      await trade();
      await stage.query(sql, ['ann']);
      expect(await faults()).toEqual([`account ann: ${fault}`]);
    });

    it('what was there at its beginning, whatever is paid before it ends', async () => {
      await trade();
      const other = await stage.newBook();
      const rows = stage.session.rows.bind(stage.session);
      let number = 10;
      stage.session.rows = async (sql, values) => {
        number += 1;
        await other.apply([payment(number, 'ann', 1), payment(number + 100, 'bob', 1)]);
        return rows(sql, values);
      };
      const audit = await auditor.auditSchedule(scheduleId);
      expect(number).toBeGreaterThan(12);
      expect(audit.accountFaults).toEqual([]);
      expect(audit.payments.map((each) => each.number)).toEqual([1, 2]);
    });

    it('all payments and accounts, in however many parts they come', async () => {
      const operations = Array.from({ length: 1_250 }, (_, i): LedgerOperation[] => [
        { kind: 'charge', charge: pointsCharge(`payer-${i}`, 10, 'key', 1000) },
        payment(2 * i + 1, `payer-${i}`, 1),
        payment(2 * i + 2, `payer-${i}`, 2),
      ]).flat();
      for (let i = 0; i < operations.length; i += 300) await stage.book.apply(operations.slice(i, i + 300));
      const audit = await auditor.auditSchedule(scheduleId);
      expect(audit).toMatchObject({ accountFaults: [], accountsChecked: 1_250 });
      expect(new Set(audit.payments.map(({ paymentId }) => paymentId)).size).toBe(2_500);
    });
  });
});
