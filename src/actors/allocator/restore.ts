import { assert } from './assert.ts';
import type { Memo } from './idempotency-window.ts';
import { idempotencyKey, type ReservationNumber, userId as toUserId } from './ids.ts';
import { expires, hasOpenPayment, isLive, type Reservation } from './reservation.ts';
import { blockedHolder, freeHolder, type ScheduleState } from './state.ts';

/** A reservation as projected; the caller need not keep it. */
export type RestoredReservation = Omit<Reservation, 'expiryIndex'>;

/**
 * Puts projected reservations into an empty state, so that recovery need not evolve a schedule's whole
 * history. The result is the state that evolve would have made of it, less what it would have forgotten.
 */
export function restoreReservation(state: ScheduleState, restored: RestoredReservation): void {
  const reservation: Reservation = { ...restored, expiryIndex: -1 };
  state.reservations.set(reservation.number, reservation);
  if (!isLive(reservation.status)) {
    if (!hasOpenPayment(reservation)) state.ended.numbers.push(reservation.number);
    return;
  }
  takeSeats(state, reservation.seats, reservation.number);
  const count = reservation.seats.length;
  if (expires(reservation.status)) state.expiries.add(reservation);
  if (reservation.status === 'HELD') state.seatCounts.held += count;
  else if (reservation.status === 'PAYING') state.seatCounts.paying += count;
  else state.seatCounts.paid += count;
  if (state.terms.seatsPerUserMax !== Number.POSITIVE_INFINITY) {
    const live = state.liveSeatsOfUser.get(reservation.userId) ?? 0;
    state.liveSeatsOfUser.set(reservation.userId, live + count);
  }
}

export function restoreBlockedSeats(state: ScheduleState, seats: readonly number[]): void {
  takeSeats(state, seats, blockedHolder);
  state.seatCounts.blocked += seats.length;
}

/** Memos come in the order of their seq. */
export function restoreMemo(state: ScheduleState, user: string, key: string, memo: Memo): void {
  const owner = toUserId(user);
  const mark = idempotencyKey(key);
  assert(owner !== undefined && mark !== undefined, 'stored ids were valid when they were stored');
  state.idempotency.remember(owner, { key: mark, fingerprint: memo.fingerprint }, memo);
}

/** Call last: ended reservations are forgotten in the order in which they ended. */
export function finishRestore(
  state: ScheduleState,
  position: { readonly seq: number; readonly lastAtMs: number; readonly lastReservationNumber: number },
): void {
  state.seq = position.seq;
  state.lastAtMs = position.lastAtMs;
  state.lastReservationNumber = position.lastReservationNumber;
  const endedAtSeq = (number: ReservationNumber) => state.reservations.get(number)?.seq ?? 0;
  state.ended.numbers.sort((a, b) => endedAtSeq(a) - endedAtSeq(b));
}

function takeSeats(state: ScheduleState, seats: readonly number[], holder: number): void {
  for (const seat of seats) {
    assert(state.holders[seat] === freeHolder, 'I1: a seat has at most one live reservation');
    state.holders[seat] = holder;
  }
  state.free.take(seats);
}
