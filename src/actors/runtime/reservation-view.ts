import { assert } from '../allocator/assert.ts';
import type { Memo } from '../allocator/idempotency-window.ts';
import { formatPaymentId } from '../allocator/ids.ts';
import type { Reservation } from '../allocator/reservation.ts';
import type { ScheduleState } from '../allocator/state.ts';
import type { ReservationView } from './outcome.ts';
import type { StoredReservation } from './ports.ts';

/** A copy: the reservation may change before the view is shown. */
export function viewOf(state: ScheduleState, reservation: Reservation, asOfMs: number): ReservationView {
  const { scheduleId } = state.terms;
  const { payment } = reservation;
  const view = {
    scheduleId,
    number: reservation.number,
    userId: reservation.userId,
    status: reservation.status,
    seats: reservation.seats,
    totalMinor: reservation.totalMinor,
    heldAtMs: reservation.heldAtMs,
    expiresAtMs: reservation.expiresAtMs,
    endedAtMs: reservation.endedAtMs,
    paidAtMs: payment?.paidAtMs ?? 0,
    asOfMs,
    seq: reservation.seq,
  };
  return payment === undefined ? view : { ...view, ...shownPayment(view, payment.seq) };
}

/** The same from the projection, for a reservation that is no longer in memory. */
export function storedView(stored: StoredReservation, asOfMs: number): ReservationView {
  const { paymentSeq, ...shown } = stored;
  return { ...shown, ...shownPayment(stored, paymentSeq), asOfMs };
}

/** A payment that is still to be given back, of seats that are gone, is nothing to its user. */
function shownPayment(
  { scheduleId, number, status }: Pick<ReservationView, 'scheduleId' | 'number' | 'status'>,
  paymentSeq: number,
): Pick<ReservationView, 'paymentId'> {
  const isShown = paymentSeq !== 0 && (status === 'PAYING' || status === 'PAID');
  return isShown ? { paymentId: formatPaymentId(scheduleId, number, paymentSeq) } : {};
}

/** What the remembered request was answered, whatever has become of the reservation since (I8). */
export function replayOf(state: ScheduleState, memo: Memo): ReservationView {
  const reservation = state.reservations.get(memo.number);
  assert(reservation !== undefined, 'a remembered reservation is in memory');
  const now = viewOf(state, reservation, memo.atMs);
  // Nothing changes a paid reservation any more.
  if (memo.kind === 'paid') return now;
  const { paymentId: _paymentId, ...held } = now;
  return {
    ...held,
    status: 'HELD',
    expiresAtMs: memo.expiresAtMs,
    endedAtMs: 0,
    paidAtMs: 0,
    seq: memo.seq,
  };
}
