import type {
  IdempotencyKey,
  ReservationNumber,
  ScheduleId,
  UserId,
} from '../../src/actors/allocator/ids.ts';
import { formatPaymentId } from '../../src/actors/allocator/ids.ts';
import type { CardOrder, PaymentOrder, PointsCharge } from '../../src/actors/runtime/ledger.ts';

export const scheduleId = 7 as ScheduleId;
export const user = (name: string): UserId => name as UserId;

/** The payment that its reservation's number names. */
export function pointsOrder(number: number, payer: string, amountMinor: number): PaymentOrder {
  return {
    paymentId: formatPaymentId(scheduleId, number as ReservationNumber, number * 10),
    scheduleId,
    number: number as ReservationNumber,
    userId: user(payer),
    method: 'points',
    amountMinor,
    currency: 'EUR',
  };
}

export const cardOrder = (number: number, payer: string, amountMinor: number): CardOrder => ({
  ...pointsOrder(number, payer, amountMinor),
  method: 'card',
  cardToken: `token-${number}`,
});

/** The fingerprint of a charge is its amount, so that another amount is another charge. */
export const pointsCharge = (payer: string, amount: number, key: string, atMs: number): PointsCharge => ({
  userId: user(payer),
  amount,
  mark: { key: key as IdempotencyKey, fingerprint: amount },
  atMs,
});
