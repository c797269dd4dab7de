import { assert } from '../allocator/assert.ts';
import type { ReservationNumber, ScheduleId, UserId } from '../allocator/ids.ts';
import type { PaymentMethod } from '../allocator/payment.ts';
import type { Reservation } from '../allocator/reservation.ts';

/** A payment whose S0 is on disk, as the actor tells of it. */
export interface BegunPayment {
  readonly scheduleId: ScheduleId;
  readonly number: ReservationNumber;
  readonly userId: UserId;
  readonly paymentSeq: number;
  readonly method: PaymentMethod;
  readonly amountMinor: number;
}

/** awaited: the seats are kept for it; too-late: they are not; over: S2 is on disk. */
export type PaymentStanding = 'awaited' | 'too-late' | 'over';

export function begunPayment(scheduleId: ScheduleId, reservation: Reservation): BegunPayment {
  const { number, userId, totalMinor, payment } = reservation;
  assert(payment?.open !== undefined, 'a payment that begins is open');
  return {
    scheduleId,
    number,
    userId,
    paymentSeq: payment.seq,
    method: payment.open.method,
    amountMinor: totalMinor,
  };
}
