import { assert } from './assert.ts';
import type { CancelledEvent, ExpiredEvent, ExtendedEvent, HeldEvent, ScheduleEvent } from './event.ts';
import { idempotencyWindowMs } from './idempotency-window.ts';
import type { UserId } from './ids.ts';
import type { Reservation, ReservationStatus } from './reservation.ts';
import { blockedHolder, freeHolder, type ScheduleState } from './state.ts';

/**
 * Applies an event: the only place that changes a schedule's state, in life and in recovery. An event was
 * decided on exactly this state, so nothing is refused here; what does not fit is a bug.
 */
export function evolve(state: ScheduleState, event: ScheduleEvent): void {
  assert(event.seq === state.seq + 1, 'I6: seq is gapless');
  assert(event.atMs >= state.lastAtMs, 'time does not go back within a schedule');
  forget(state, event.atMs);
  switch (event.type) {
    case 'held':
      evolveHeld(state, event);
      break;
    case 'extended':
      evolveExtended(state, event);
      break;
    case 'cancelled':
      end(state, event, 'CANCELLED');
      break;
    case 'expired':
      end(state, event, 'EXPIRED');
      break;
    case 'blocked':
      setHolders(state, event.seats, freeHolder, blockedHolder);
      state.free.take(event.seats);
      state.seatCounts.blocked += event.seats.length;
      break;
    case 'unblocked':
      setHolders(state, event.seats, blockedHolder, freeHolder);
      state.free.release(event.seats);
      state.seatCounts.blocked -= event.seats.length;
      break;
  }
  state.seq = event.seq;
  state.lastAtMs = event.atMs;
}

function evolveHeld(state: ScheduleState, event: HeldEvent): void {
  assert(event.number === state.lastReservationNumber + 1, 'reservation numbers are gapless');
  const reservation: Reservation = {
    number: event.number,
    userId: event.userId,
    seats: event.seats,
    totalMinor: event.totalMinor,
    heldAtMs: event.atMs,
    status: 'HELD',
    expiresAtMs: event.expiresAtMs,
    endedAtMs: 0,
    seq: event.seq,
    expiryIndex: -1,
  };
  setHolders(state, event.seats, freeHolder, event.number);
  state.free.take(event.seats);
  state.seatCounts.held += event.seats.length;
  state.lastReservationNumber = event.number;
  state.reservations.set(event.number, reservation);
  state.expiries.add(reservation);
  countLiveSeats(state, event.userId, event.seats.length);
  if (event.idempotency !== undefined) {
    state.idempotency.remember(event.userId, event.idempotency, {
      kind: 'held',
      seq: event.seq,
      atMs: event.atMs,
      fingerprint: event.idempotency.fingerprint,
      number: event.number,
      expiresAtMs: event.expiresAtMs,
    });
  }
}

function evolveExtended(state: ScheduleState, event: ExtendedEvent): void {
  const reservation = openHold(state, event.number);
  state.expiries.reschedule(reservation, event.expiresAtMs);
  reservation.seq = event.seq;
  if (event.idempotency !== undefined) {
    state.idempotency.remember(reservation.userId, event.idempotency, {
      kind: 'extended',
      seq: event.seq,
      atMs: event.atMs,
      fingerprint: event.idempotency.fingerprint,
      number: event.number,
      expiresAtMs: event.expiresAtMs,
    });
  }
}

function end(state: ScheduleState, event: CancelledEvent | ExpiredEvent, status: ReservationStatus): void {
  const reservation = openHold(state, event.number);
  setHolders(state, reservation.seats, reservation.number, freeHolder);
  state.free.release(reservation.seats);
  state.seatCounts.held -= reservation.seats.length;
  state.expiries.remove(reservation);
  reservation.status = status;
  reservation.endedAtMs = event.atMs;
  reservation.seq = event.seq;
  countLiveSeats(state, reservation.userId, -reservation.seats.length);
  state.ended.numbers.push(reservation.number);
}

function openHold(state: ScheduleState, number: number): Reservation {
  const reservation = state.reservations.get(number);
  assert(reservation !== undefined, 'an event names a reservation in memory');
  assert(reservation.status === 'HELD', 'only a hold is extended or ended');
  return reservation;
}

function setHolders(state: ScheduleState, seats: readonly number[], from: number, to: number): void {
  for (const seat of seats) {
    assert(state.holders[seat] === from, 'I1: a seat has at most one live reservation');
    state.holders[seat] = to;
  }
}

function countLiveSeats(state: ScheduleState, userId: UserId, change: number): void {
  if (state.terms.seatsPerUserMax === Number.POSITIVE_INFINITY) return;
  const live = (state.liveSeatsOfUser.get(userId) ?? 0) + change;
  assert(live >= 0, 'a user has no negative number of seats');
  if (live === 0) state.liveSeatsOfUser.delete(userId);
  else state.liveSeatsOfUser.set(userId, live);
}

/** Drops what no request can ask for again. Ended reservations go when their last memo has gone. */
function forget(state: ScheduleState, nowMs: number): void {
  state.idempotency.forgetBefore(nowMs);
  const { ended } = state;
  for (;;) {
    const number = ended.numbers[ended.dropped];
    if (number === undefined) break;
    const reservation = state.reservations.get(number) as Reservation;
    if (reservation.endedAtMs + idempotencyWindowMs > nowMs) break;
    state.reservations.delete(number);
    ended.dropped += 1;
  }
  if (ended.dropped > 1024 && ended.dropped * 2 > ended.numbers.length) {
    ended.numbers.splice(0, ended.dropped);
    ended.dropped = 0;
  }
}
