import { describe, expect, it } from 'vitest';
import type { LedgerOperation, OperationResult } from '../../src/ledger/operation.ts';
import { pointsCharge, pointsOrder } from './ledger-orders.ts';
import { useMySqlBook } from './mysql-book-stage.ts';

/** Which rows a batch of the ledger holds, in which order, and what it does not wait for. */
describe('the locks of a batch', () => {
  const stage = useMySqlBook();

  const charge = (payer: string, key = 'first', amount = 500, atMs = 1000): LedgerOperation => ({
    kind: 'charge',
    charge: pointsCharge(payer, amount, key, atMs),
  });
  const pay = (number: number, payer: string, amountMinor = 1): LedgerOperation => ({
    kind: 'pay-by-points',
    order: pointsOrder(number, payer, amountMinor),
    atMs: 2000,
  });
  const cancel = (number: number, payer: string): LedgerOperation => ({
    kind: 'cancel-unless-begun',
    order: pointsOrder(number, payer, 1),
    atMs: 2000,
  });

  /** Locks rows from a shell until `release`. */
  async function holding(sql: string): Promise<() => Promise<unknown>> {
    await stage.query('START TRANSACTION');
    await stage.query(`${sql} FOR UPDATE`);
    return () => stage.query('ROLLBACK');
  }

  /** Of the given ones, those that nobody holds. By the shell, whose transaction is open. */
  const free = (table: string, column: string): Promise<unknown[]> =>
    stage.column(`SELECT ${column} FROM ${table} ORDER BY ${column} FOR UPDATE SKIP LOCKED`);

  /** Resolves when a connection is at such a statement, and stays there. */
  const somebodyWaitsAt = (pattern: string) =>
    expect
      .poll(() =>
        stage.column(
          `SELECT COUNT(*) FROM information_schema.processlist
           WHERE db = DATABASE() AND id <> CONNECTION_ID() AND info LIKE ?`,
          [pattern],
        ),
      )
      .toEqual([1]);

  it('are of its own accounts alone, in the order of users, however the table is filled', async () => {
    for (const payers of [['a', 'b', 'm', 'n', 'z'], Array.from({ length: 300 }, (_, i) => `x-${i}`)]) {
      await stage.book.apply(payers.map((payer) => charge(payer)));
      const release = await holding("SELECT user_id FROM point_account WHERE user_id = 'm'");
      // Not the order of users, and not that of the table.
      const waiting = stage.book.apply([pay(1, 'z'), pay(2, 'm'), pay(3, 'a')]);
      await somebodyWaitsAt('%FOR UPDATE%');
      const unlocked = await free('point_account', 'user_id');
      expect(unlocked).not.toContain('a');
      expect(unlocked).toEqual(expect.arrayContaining(['b', 'm', 'n', 'z']));
      await release();
      expect(await waiting).toHaveLength(3);
    }
  });

  it('are held by no batch that waits for an account which is about to be made', async () => {
    await stage.book.apply([charge('a'), charge('z')]);
    await stage.query('START TRANSACTION');
    // After the batch has seen that there is none, and before it makes one.
    const raw = stage.session.raw.bind(stage.session);
    stage.session.raw = async (name, sql) => {
      const answer = await raw(name, sql);
      if (stage.session.raw !== raw) {
        stage.session.raw = raw;
        await stage.query("INSERT INTO point_account (user_id, balance) VALUES ('m', 0)");
      }
      return answer;
    };
    const waiting = stage.book.apply([charge('z', 'second'), charge('m'), charge('a', 'second')]);
    await somebodyWaitsAt('INSERT INTO point_account%');
    expect(await free('point_account', 'user_id')).toEqual(['a', 'm', 'z']);
    await stage.query('COMMIT');
    expect(await waiting).toHaveLength(3);
    expect(await stage.column('SELECT balance FROM point_account ORDER BY user_id')).toEqual([
      1000, 500, 1000,
    ]);
  });

  it.each([
    ['payment', "payment_id = '7-1-10'", 'SELECT payment_id,%'],
    ['charge_mark', "name = 'ann first'", 'SELECT name, fingerprint,%'],
  ])('are all taken before anything is written: %s', async (table, condition, statement) => {
    await stage.book.apply([charge('ann'), pay(1, 'ann')]);
    const release = await holding(`SELECT * FROM ${table} FORCE INDEX (PRIMARY) WHERE ${condition}`);
    const refund = {
      kind: 'refund',
      order: pointsOrder(1, 'ann', 1),
      reference: undefined,
      atMs: 3000,
    } as const;
    const waiting = stage.book.apply([charge('ann', 'first', 500, 4 * dayMs), refund]);
    await somebodyWaitsAt(statement);
    await release();
    expect(await waiting).toMatchObject([{ balance: 999 }, { status: 'REFUNDED', balance: 1000 }]);
  });

  it('keep a payment of nobody’s knowledge together: CANCELLED and a late S1 come one after the other', async () => {
    await stage.book.apply([charge('ann')]);
    const other = await stage.newBook();
    for (let number = 1; number <= 200; number++) {
      const both = number % 2 === 0 ? [stage.book, other] : [other, stage.book];
      const [paid, settled] = await Promise.all([
        both[0]!.apply([pay(number, 'ann')]),
        both[1]!.apply([cancel(number, 'ann')]),
      ]);
      expect(paid.map(statusOf)).toEqual(settled.map(statusOf));
    }
    const statuses = await stage.query('SELECT status, COUNT(*) AS n FROM payment GROUP BY status');
    expect(statuses.reduce((sum, row) => sum + Number(row['n']), 0)).toBe(200);
    const [approved] = await stage.column('SELECT COUNT(*) FROM payment WHERE status = 1');
    expect(await stage.column('SELECT balance FROM point_account')).toEqual([500 - Number(approved)]);
  });

  it('pass by old marks that another batch is about to forget', async () => {
    await stage.book.apply(['a', 'b', 'c', 'd'].map((payer) => charge(payer, 'old')));
    // By their primary key, as a batch holds its own.
    const release = await holding(
      "SELECT name FROM charge_mark FORCE INDEX (PRIMARY) WHERE name IN ('a old', 'b old')",
    );
    const startedMs = performance.now();
    await stage.book.apply([charge('e', 'new', 1, 3 * dayMs)]);
    expect(performance.now() - startedMs).toBeLessThan(1000);
    await release();
    expect(await stage.column('SELECT name FROM charge_mark ORDER BY name')).toEqual([
      'a old',
      'b old',
      'e new',
    ]);
  });

  it('end with the batch, whatever it came to', async () => {
    await stage.book.apply([charge('ann')]);
    const refund: LedgerOperation = {
      kind: 'refund',
      order: pointsOrder(9, 'ann', 1),
      reference: undefined,
      atMs: 1,
    };
    await expect(stage.book.apply([pay(1, 'ann'), refund])).rejects.toThrow('was never begun');
    await stage.query('START TRANSACTION');
    expect(await free('point_account', 'user_id')).toEqual(['ann']);
    await stage.query('ROLLBACK');
    expect(await stage.column('SELECT COUNT(*) FROM payment')).toEqual([0]);
    // And the connection is of use still, for as long as it may be idle.
    expect(await stage.session.rows('SELECT @@SESSION.wait_timeout')).toEqual([[86_400]]);
    expect(await stage.book.apply([pay(1, 'ann')])).toMatchObject([{ status: 'APPROVED' }]);
  });
});

const dayMs = 24 * 60 * 60 * 1000;

const statusOf = (result: OperationResult): string => ('status' in result ? result.status : result.kind);
