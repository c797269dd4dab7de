import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { IdempotencyKey, PaymentId, UserId } from '../../actors/allocator/ids.ts';
import { entryKinds, paymentStatuses } from '../../actors/runtime/ledger.ts';
import { sqliteConstraint, sqliteResultCode } from '../../sqlite/database.ts';
import { Transactions } from '../../sqlite/transactions.ts';
import { queryRow } from '../../sqlite/typed-rows.ts';
import { BatchRefused, type LedgerBook } from '../book.ts';
import type { BookChanges, BookRows, StoredMark, StoredPayment } from '../book-rows.ts';
import { decideBatch } from '../decide-batch.ts';
import type { LedgerOperation, OperationResult } from '../operation.ts';
import { fromPaymentRow, type PaymentRow, paymentColumns, toPaymentRow } from '../payment-columns.ts';

/**
 * The book in ledger.db. A batch takes the write lock before it reads, so what it decides on is what it
 * changes, however many threads have the file open.
 */
export class SqliteBook implements LedgerBook, BookRows {
  readonly #transactions: Transactions;
  readonly #balance: StatementSync;
  readonly #payment: StatementSync;
  readonly #mark: StatementSync;
  readonly #lastEntryId: StatementSync;
  readonly #putBalance: StatementSync;
  readonly #addEntry: StatementSync;
  readonly #addPayment: StatementSync;
  readonly #changePayment: StatementSync;
  readonly #putMark: StatementSync;
  readonly #forgetMarks: StatementSync;

  constructor(db: DatabaseSync) {
    this.#transactions = new Transactions(db);
    const prepare = (sql: string) => db.prepare(sql, { returnArrays: true });
    this.#balance = prepare('SELECT balance FROM point_account WHERE user_id = ?');
    this.#payment = prepare(`SELECT ${paymentColumns} FROM payment WHERE payment_id = ?`);
    this.#mark = prepare(
      `SELECT fingerprint, entry_id, balance_after, charge_mark.at_ms
       FROM charge_mark JOIN point_entry USING (entry_id) WHERE charge_mark.user_id = ? AND key = ?`,
    );
    this.#lastEntryId = prepare('SELECT coalesce(max(entry_id), 0) FROM point_entry');
    this.#putBalance = prepare(
      `INSERT INTO point_account (user_id, balance) VALUES (?, ?)
       ON CONFLICT (user_id) DO UPDATE SET balance = excluded.balance`,
    );
    this.#addEntry = prepare(
      `INSERT INTO point_entry
         (entry_id, user_id, kind, amount, balance_after, payment_id, schedule_id, number, at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#addPayment = prepare(
      `INSERT INTO payment (${paymentColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#changePayment = prepare(
      `UPDATE payment SET status = ?, decline_code = ?, card_token = ?, reference = ?, refund_reference = ?,
         is_taken_over = ?, settled_at_ms = ?, refunded_at_ms = ?
       WHERE payment_id = ?`,
    );
    this.#putMark = prepare(
      `INSERT INTO charge_mark (user_id, key, fingerprint, entry_id, at_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (user_id, key) DO UPDATE
       SET fingerprint = excluded.fingerprint, entry_id = excluded.entry_id, at_ms = excluded.at_ms`,
    );
    this.#forgetMarks = prepare(
      `DELETE FROM charge_mark WHERE (user_id, key) IN
         (SELECT user_id, key FROM charge_mark WHERE at_ms < ? ORDER BY at_ms LIMIT ?)`,
    );
  }

  apply(operations: readonly LedgerOperation[]): readonly OperationResult[] {
    try {
      return this.#transactions.durable(() => {
        const { results, changes } = decideBatch(operations, this);
        this.#write(changes);
        return results;
      });
    } catch (error) {
      // A CHECK or UNIQUE of the schema held what the rules let through.
      if (sqliteResultCode(error) === sqliteConstraint) {
        throw new BatchRefused((error as Error).message, { cause: error });
      }
      throw error;
    }
  }

  balanceOf(userId: UserId): number {
    return queryRow<[number]>(this.#balance, userId)?.[0] ?? 0;
  }

  findPayment(paymentId: PaymentId): StoredPayment | undefined {
    const row = queryRow<PaymentRow>(this.#payment, paymentId);
    return row && fromPaymentRow(row);
  }

  findMark(userId: UserId, key: IdempotencyKey): StoredMark | undefined {
    const row = queryRow<[number, number, number, number]>(this.#mark, userId, key);
    if (row === undefined) return undefined;
    const [fingerprint, entryId, balanceAfter, atMs] = row;
    return { userId, key, fingerprint, entryId, balanceAfter, atMs };
  }

  lastEntryId(): number {
    return queryRow<[number]>(this.#lastEntryId)![0];
  }

  #write({ balances, entries, newPayments, changedPayments, marks, marksOfUseSinceMs }: BookChanges): void {
    for (const [userId, balance] of balances) this.#putBalance.run(userId, balance);
    for (const { entryId, userId, kind, amount, balanceAfter, order, atMs } of entries) {
      this.#addEntry.run(
        entryId,
        userId,
        entryKinds.indexOf(kind),
        amount,
        balanceAfter,
        order?.paymentId ?? null,
        order?.scheduleId ?? null,
        order?.number ?? null,
        atMs,
      );
    }
    for (const payment of newPayments) this.#addPayment.run(...toPaymentRow(payment));
    for (const payment of changedPayments) {
      this.#changePayment.run(
        paymentStatuses.indexOf(payment.status),
        payment.declineCode ?? null,
        payment.cardToken ?? null,
        payment.reference ?? null,
        payment.refundReference ?? null,
        Number(payment.isTakenOver),
        payment.settledAtMs ?? null,
        payment.refundedAtMs ?? null,
        payment.paymentId,
      );
    }
    for (const { userId, key, fingerprint, entryId, atMs } of marks) {
      this.#putMark.run(userId, key, fingerprint, entryId, atMs);
    }
    // Two for each new one: the table shrinks, and no batch pays for a whole day's marks at once.
    if (marks.length > 0) this.#forgetMarks.run(marksOfUseSinceMs, 2 * marks.length);
  }
}
