import type { PaymentId, ReservationNumber, ScheduleId, UserId } from '../actors/allocator/ids.ts';
import { paymentMethods } from '../actors/allocator/payment.ts';
import { paymentStatuses } from '../actors/runtime/ledger.ts';
import type { StoredPayment } from './book-rows.ts';

/** The order of PaymentRow. */
export const paymentColumns = `payment_id, schedule_id, number, user_id, method, amount_minor, currency,
  status, decline_code, card_token, reference, refund_reference, is_taken_over, created_at_ms, settled_at_ms,
  refunded_at_ms`;

export type PaymentRow = [
  paymentId: PaymentId,
  scheduleId: ScheduleId,
  number: ReservationNumber,
  userId: UserId,
  method: number,
  amountMinor: number,
  currency: string,
  status: number,
  declineCode: string | null,
  cardToken: string | null,
  reference: string | null,
  refundReference: string | null,
  isTakenOver: number,
  createdAtMs: number,
  settledAtMs: number | null,
  refundedAtMs: number | null,
];

export const toPaymentRow = (payment: StoredPayment): PaymentRow => [
  payment.paymentId,
  payment.scheduleId,
  payment.number,
  payment.userId,
  paymentMethods.indexOf(payment.method),
  payment.amountMinor,
  payment.currency,
  paymentStatuses.indexOf(payment.status),
  payment.declineCode ?? null,
  payment.cardToken ?? null,
  payment.reference ?? null,
  payment.refundReference ?? null,
  Number(payment.isTakenOver),
  payment.createdAtMs,
  payment.settledAtMs ?? null,
  payment.refundedAtMs ?? null,
];

export const fromPaymentRow = (row: PaymentRow): StoredPayment => ({
  paymentId: row[0],
  scheduleId: row[1],
  number: row[2],
  userId: row[3],
  method: paymentMethods[row[4]]!,
  amountMinor: row[5],
  currency: row[6],
  status: paymentStatuses[row[7]]!,
  declineCode: row[8] ?? undefined,
  cardToken: row[9] ?? undefined,
  reference: row[10] ?? undefined,
  refundReference: row[11] ?? undefined,
  isTakenOver: row[12] === 1,
  createdAtMs: row[13],
  settledAtMs: row[14] ?? undefined,
  refundedAtMs: row[15] ?? undefined,
});
