import type { PaymentId, ReservationNumber, UserId } from '../actors/allocator/ids.ts';
import { paymentMethods } from '../actors/allocator/payment.ts';
import {
  type AuditedPayment,
  entryKinds,
  type LedgerAudit,
  paymentStatuses,
} from '../actors/runtime/ledger.ts';
import { accountFault, type EntryUnderAudit, type PaymentUnderAudit } from './account-audit.ts';

/** The order of PaymentAuditRow. */
export const paymentAuditColumns = 'payment_id, number, user_id, amount_minor, status, method';

export type PaymentAuditRow = [
  paymentId: PaymentId,
  number: ReservationNumber,
  userId: UserId,
  amountMinor: number,
  status: number,
  method: number,
];

/** Those of the payment that the entry names: NULL for a charge, and for a payment that is missing. */
export type EntryAuditRow = [
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
 * What the audit of a schedule finds, from the rows of one consistent view: first all payments of the schedule,
 * then the account of every payer by points, of those as well whose payment came to nothing: it must not have
 * been debited.
 */
export class ScheduleAudit {
  readonly #payments: AuditedPayment[] = [];
  readonly #byPayer = new Map<UserId, PaymentUnderAudit[]>();
  readonly #accountFaults: string[] = [];

  addPayment([paymentId, number, userId, amountMinor, statusIndex, methodIndex]: PaymentAuditRow): void {
    const status = paymentStatuses[statusIndex]!;
    const method = paymentMethods[methodIndex]!;
    if (status !== 'CANCELLED' && status !== 'DECLINED') {
      this.#payments.push({ paymentId, number, userId, amountMinor, status });
    }
    if (method !== 'points') return;
    const payment = { paymentId, userId, method, status, amountMinor };
    const own = this.#byPayer.get(userId);
    if (own === undefined) this.#byPayer.set(userId, [payment]);
    else own.push(payment);
  }

  /** Whose accounts are to be checked. */
  payers(): readonly UserId[] {
    return [...this.#byPayer.keys()];
  }

  /** @param balance 0 when there is no account. @param entries in the order of entryId. */
  checkAccount(userId: UserId, balance: number, entries: readonly EntryAuditRow[]): void {
    const payments = this.#byPayer.get(userId) ?? [];
    const fault = accountFault({ userId, balance, entries: entries.map(toEntry), payments });
    if (fault !== undefined) this.#accountFaults.push(fault);
  }

  result(): LedgerAudit {
    return {
      payments: this.#payments,
      accountFaults: this.#accountFaults,
      accountsChecked: this.#byPayer.size,
    };
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
