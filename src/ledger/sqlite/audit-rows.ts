import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { LedgerAudit } from '../../actors/runtime/ledger.ts';
import { queryRow, queryRows } from '../../sqlite/typed-rows.ts';
import {
  type EntryAuditRow,
  type PaymentAuditRow,
  paymentAuditColumns,
  ScheduleAudit,
} from '../schedule-audit.ts';

/**
 * The audit of a schedule, on a connection of its own: one read transaction, so that accounts and payments
 * are of the same moment while payments go on.
 */
export class AuditRows {
  readonly #db: DatabaseSync;
  readonly #payments: StatementSync;
  readonly #balance: StatementSync;
  readonly #entries: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    const prepare = (sql: string) => db.prepare(sql, { returnArrays: true });
    this.#payments = prepare(
      `SELECT ${paymentAuditColumns} FROM payment WHERE schedule_id = ? ORDER BY payment_id`,
    );
    this.#balance = prepare('SELECT balance FROM point_account WHERE user_id = ?');
    this.#entries = prepare(
      `SELECT entry_id, kind, amount, balance_after, payment_id,
         payment.user_id, payment.method, payment.status, payment.amount_minor
       FROM point_entry LEFT JOIN payment USING (payment_id)
       WHERE point_entry.user_id = ? ORDER BY entry_id`,
    );
  }

  auditSchedule(scheduleId: ScheduleId): LedgerAudit {
    this.#db.exec('BEGIN');
    try {
      return this.#audit(scheduleId);
    } finally {
      this.#db.exec('COMMIT');
    }
  }

  #audit(scheduleId: ScheduleId): LedgerAudit {
    const audit = new ScheduleAudit();
    for (const row of queryRows<PaymentAuditRow>(this.#payments, scheduleId)) audit.addPayment(row);
    for (const userId of audit.payers()) {
      const balance = queryRow<[number]>(this.#balance, userId)?.[0] ?? 0;
      audit.checkAccount(userId, balance, queryRows<EntryAuditRow>(this.#entries, userId));
    }
    return audit.result();
  }
}
