import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { PaymentId, ReservationNumber, ScheduleId, UserId } from '../../actors/allocator/ids.ts';
import { paymentMethods } from '../../actors/allocator/payment.ts';
import {
  type AuditedPayment,
  entryKinds,
  type LedgerAudit,
  paymentStatuses,
} from '../../actors/runtime/ledger.ts';
import { queryRow, queryRows } from '../../sqlite/typed-rows.ts';
import { accountFault, type EntryUnderAudit, type PaymentUnderAudit } from '../account-audit.ts';

type PaymentAuditRow = [
  paymentId: PaymentId,
  number: ReservationNumber,
  userId: UserId,
  amountMinor: number,
  status: number,
  method: number,
];

type EntryAuditRow = [
  entryId: number,
  kind: number,
  amount: number,
  balanceAfter: number,
  paymentId: PaymentId | null,
  payer: UserId | null,
  method: number | null,
  status: number | null,
  amountMinor: number | null,
];

/**
 * The audit of a schedule, on a connection of its own: one read transaction, so that accounts and payments
 * are of the same moment while payments go on. Checks the account of every payer by points, of those as well
 * whose payment came to nothing: it must not have been debited.
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
      `SELECT payment_id, number, user_id, amount_minor, status, method
       FROM payment WHERE schedule_id = ? ORDER BY payment_id`,
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
    const payments: AuditedPayment[] = [];
    const byPayer = new Map<UserId, PaymentUnderAudit[]>();
    for (const row of queryRows<PaymentAuditRow>(this.#payments, scheduleId)) {
      const [paymentId, number, userId, amountMinor] = row;
      const status = paymentStatuses[row[4]]!;
      const method = paymentMethods[row[5]]!;
      if (status !== 'CANCELLED' && status !== 'DECLINED') {
        payments.push({ paymentId, number, userId, amountMinor, status });
      }
      if (method !== 'points') continue;
      const payment = { paymentId, userId, method, status, amountMinor };
      const own = byPayer.get(userId);
      if (own === undefined) byPayer.set(userId, [payment]);
      else own.push(payment);
    }
    const accountFaults: string[] = [];
    for (const [userId, own] of byPayer) {
      const balance = queryRow<[number]>(this.#balance, userId)?.[0] ?? 0;
      const entries = queryRows<EntryAuditRow>(this.#entries, userId).map(toEntry);
      const fault = accountFault({ userId, balance, entries, payments: own });
      if (fault !== undefined) accountFaults.push(fault);
    }
    return { payments, accountFaults, accountsChecked: byPayer.size };
  }
}

function toEntry(row: EntryAuditRow): EntryUnderAudit {
  const [entryId, kind, amount, balanceAfter, paymentId, payer, method, status, amountMinor] = row;
  return {
    entryId,
    kind: entryKinds[kind]!,
    amount,
    balanceAfter,
    paymentId: paymentId ?? undefined,
    payment:
      paymentId === null || payer === null
        ? undefined
        : {
            paymentId,
            userId: payer,
            method: paymentMethods[method!]!,
            status: paymentStatuses[status!]!,
            amountMinor: amountMinor!,
          },
  };
}
