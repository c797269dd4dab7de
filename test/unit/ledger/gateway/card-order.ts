import {
  formatPaymentId,
  type ReservationNumber,
  type ScheduleId,
  type UserId,
} from '../../../../src/actors/allocator/ids.ts';
import type { CardOrder } from '../../../../src/actors/runtime/ledger.ts';

let orders = 0;

/** A payment that nobody has heard of yet. */
export function cardOrder(cardToken: string): CardOrder {
  const number = ++orders as ReservationNumber;
  const scheduleId = 7 as ScheduleId;
  return {
    paymentId: formatPaymentId(scheduleId, number, 2),
    scheduleId,
    number,
    userId: 'ada' as UserId,
    method: 'card',
    amountMinor: 4_200,
    currency: 'EUR',
    cardToken,
  };
}
