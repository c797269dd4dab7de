import type { PaymentId, UserId } from '../actors/allocator/ids.ts';
import type { PaymentMethod } from '../actors/allocator/payment.ts';
import type { EntryKind, PaymentStatus } from '../actors/runtime/ledger.ts';

/** An account as the audit finds it, with the payments that its entries and the schedule name. */
export interface AccountUnderAudit {
  readonly userId: UserId;
  /** 0 when it has no row. */
  readonly balance: number;
  /** All of them, in the order of entryId. */
  readonly entries: readonly EntryUnderAudit[];
  /** Its payments of the schedule that is audited, by points. */
  readonly payments: readonly PaymentUnderAudit[];
}

export interface EntryUnderAudit {
  readonly entryId: number;
  readonly kind: EntryKind;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly paymentId: PaymentId | undefined;
  /** What is stored under `paymentId`. */
  readonly payment: PaymentUnderAudit | undefined;
}

export interface PaymentUnderAudit {
  readonly paymentId: PaymentId;
  readonly userId: UserId;
  readonly method: PaymentMethod;
  readonly status: PaymentStatus;
  readonly amountMinor: number;
}

/**
 * The first thing about an account that breaks I4, as a line to read; undefined when nothing does. From the
 * entries to the payments and back: each entry has its payment, each payment its entries.
 */
export function accountFault(account: AccountUnderAudit): string | undefined {
  const fault = chainFault(account) ?? entryFault(account) ?? paymentFault(account);
  return fault === undefined ? undefined : `account ${account.userId}: ${fault}`;
}

function chainFault({ balance, entries }: AccountUnderAudit): string | undefined {
  let sum = 0;
  for (const { entryId, amount, balanceAfter } of entries) {
    sum += amount;
    if (balanceAfter !== sum) return `entry ${entryId} leaves ${balanceAfter}, and its sum is ${sum}`;
    if (balanceAfter < 0) return `entry ${entryId} leaves ${balanceAfter}`;
  }
  return balance === sum ? undefined : `its balance is ${balance}, the sum of its entries ${sum}`;
}

function entryFault({ userId, entries }: AccountUnderAudit): string | undefined {
  const seen = new Set<string>();
  for (const { entryId, kind, amount, paymentId, payment } of entries) {
    const name = `${kind} ${entryId}`;
    if (kind === 'payment' ? amount >= 0 : amount <= 0) return `${name} has the amount ${amount}`;
    if (kind === 'charge') continue;
    if (payment === undefined) return `${name} has no payment ${paymentId}`;
    if (seen.has(`${kind} ${paymentId}`)) return `${paymentId} has a second ${kind}, ${entryId}`;
    seen.add(`${kind} ${paymentId}`);
    if (payment.userId !== userId) return `${name} is of a payment of ${payment.userId}`;
    if (payment.method !== 'points') return `${name} is of a payment by ${payment.method}`;
    if (payment.amountMinor !== Math.abs(amount)) {
      return `${name} has the amount ${amount}, its payment ${payment.amountMinor}`;
    }
    if (!entriesOf(payment.status).includes(kind)) return `${name} is of a payment that is ${payment.status}`;
  }
  return undefined;
}

function paymentFault({ entries, payments }: AccountUnderAudit): string | undefined {
  const present = new Set(entries.map(({ kind, paymentId }) => `${kind} ${paymentId}`));
  for (const { paymentId, status, amountMinor } of payments) {
    if (amountMinor === 0) continue; // moves nothing, so it has no entries
    const missing = entriesOf(status).find((kind) => !present.has(`${kind} ${paymentId}`));
    if (missing !== undefined) return `${paymentId} is ${status} and has no ${missing}`;
  }
  return undefined;
}

/** What a payment by points leaves in the account, each once. */
function entriesOf(status: PaymentStatus): readonly EntryKind[] {
  if (status === 'APPROVED') return ['payment'];
  return status === 'REFUNDED' ? ['payment', 'refund'] : [];
}
