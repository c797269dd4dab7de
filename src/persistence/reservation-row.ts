import type { ReservationNumber, ScheduleId, UserId } from '../actors/allocator/ids.ts';
import { reservationStatuses } from '../actors/allocator/reservation.ts';
import type { StoredReservation } from '../actors/runtime/ports.ts';
import { seatsFromText } from './seats-text.ts';

/** A row of `reservation` as people's queries read it, in the order of reservationRowColumns. */
export type StoredReservationRow = [
  scheduleId: ScheduleId,
  number: ReservationNumber,
  userId: UserId,
  status: number,
  seats: string,
  totalMinor: number,
  heldAtMs: number,
  expiresAtMs: number,
  endedAtMs: number,
  seq: number,
  paymentSeq: number,
  paidAtMs: number,
];

export const reservationRowColumns =
  'schedule_id, number, user_id, status, seats, total_minor, held_at_ms, expires_at_ms, ended_at_ms, seq, payment_seq, paid_at_ms';

export function toReservation(row: StoredReservationRow): StoredReservation {
  const [scheduleId, number, userId, status, seats, totalMinor, heldAtMs, expiresAtMs, endedAtMs, seq] = row;
  const [paymentSeq, paidAtMs] = row.slice(10) as [number, number];
  return {
    scheduleId,
    number,
    userId,
    status: reservationStatuses[status]!,
    seats: seatsFromText(seats),
    totalMinor,
    heldAtMs,
    expiresAtMs,
    endedAtMs,
    seq,
    paymentSeq,
    paidAtMs,
  };
}
