import { assert } from '../allocator/assert.ts';
import type { Memo } from '../allocator/idempotency-window.ts';
import type { Reservation } from '../allocator/reservation.ts';
import type { ScheduleState } from '../allocator/state.ts';
import type { ReservationView } from './outcome.ts';

/** A copy: the reservation may change before the view is shown. */
export function viewOf(state: ScheduleState, reservation: Reservation, asOfMs: number): ReservationView {
  return {
    scheduleId: state.terms.scheduleId,
    number: reservation.number,
    userId: reservation.userId,
    status: reservation.status,
    seats: reservation.seats,
    totalMinor: reservation.totalMinor,
    heldAtMs: reservation.heldAtMs,
    expiresAtMs: reservation.expiresAtMs,
    endedAtMs: reservation.endedAtMs,
    asOfMs,
    seq: reservation.seq,
  };
}

/** What the remembered request was answered, whatever has become of the reservation since (I8). */
export function replayOf(state: ScheduleState, memo: Memo): ReservationView {
  const reservation = state.reservations.get(memo.number);
  assert(reservation !== undefined, 'a remembered reservation is in memory');
  return {
    ...viewOf(state, reservation, memo.atMs),
    status: 'HELD',
    expiresAtMs: memo.expiresAtMs,
    endedAtMs: 0,
    seq: memo.seq,
  };
}
