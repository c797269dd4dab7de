import { assert } from './assert.ts';
import type {
  CancelledEvent,
  ExpiredEvent,
  ExtendedEvent,
  HeldEvent,
  PaidEvent,
  PayingEvent,
  PaymentFailedEvent,
  ScheduleEvent,
} from './event.ts';
import { idempotencyWindowMs, type Memo } from './idempotency-window.ts';
import type { UserId } from './ids.ts';
import type { OpenPayment } from './open-payment.ts';
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
    case 'paying':
      evolvePaying(state, event);
      break;
    case 'paid':
      evolvePaid(state, event);
      break;
    case 'payment-failed':
      evolvePaymentFailed(state, event);
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
    payment: undefined,
    expiryIndex: -1,
  };
  setHolders(state, event.seats, freeHolder, event.number);
  state.free.take(event.seats);
  state.seatCounts.held += event.seats.length;
  state.lastReservationNumber = event.number;
  state.reservations.set(event.number, reservation);
  state.expiries.add(reservation);
  countLiveSeats(state, event.userId, event.seats.length);
  remember(state, reservation, event, 'held');
}

function evolveExtended(state: ScheduleState, event: ExtendedEvent): void {
  const reservation = openHold(state, event.number);
  state.expiries.reschedule(reservation, event.expiresAtMs);
  reservation.seq = event.seq;
  remember(state, reservation, event, 'extended');
}

function evolvePaying(state: ScheduleState, event: PayingEvent): void {
  const reservation = openHold(state, event.number);
  reservation.status = 'PAYING';
  reservation.payment = {
    seq: event.seq,
    paidAtMs: 0,
    open: { method: event.method, holdLeftMs: event.holdLeftMs, idempotency: event.idempotency },
  };
  reservation.seq = event.seq;
  state.expiries.reschedule(reservation, event.expiresAtMs);
  moveSeats(state, reservation, 'held', 'paying');
  remember(state, reservation, event, 'paying');
}

function evolvePaid(state: ScheduleState, event: PaidEvent): void {
  const { reservation, open } = openPayment(state, event.number, event.paymentSeq);
  assert(reservation.status === 'PAYING', 'I5: what has ended is not paid');
  forgetKey(state, reservation, event.paymentSeq, open);
  reservation.status = 'PAID';
  reservation.payment = { seq: event.paymentSeq, paidAtMs: event.atMs, open: undefined };
  reservation.seq = event.seq;
  state.expiries.remove(reservation);
  moveSeats(state, reservation, 'paying', 'paid');
  remember(state, reservation, event, 'paid');
}

function evolvePaymentFailed(state: ScheduleState, event: PaymentFailedEvent): void {
  const { reservation, open } = openPayment(state, event.number, event.paymentSeq);
  forgetKey(state, reservation, event.paymentSeq, open);
  reservation.payment = undefined;
  reservation.seq = event.seq;
  if (event.expiresAtMs === undefined) {
    assert(reservation.status === 'EXPIRED', 'a live reservation gets its hold back');
    state.ended.numbers.push(reservation.number);
    return;
  }
  assert(reservation.status === 'PAYING', 'a hold is given back to a payment that was under way');
  reservation.status = 'HELD';
  state.expiries.reschedule(reservation, event.expiresAtMs);
  moveSeats(state, reservation, 'paying', 'held');
}

/** Keeps the request of an event, if it has a key, under what became of it (I8). */
function remember(
  state: ScheduleState,
  reservation: Reservation,
  event: HeldEvent | ExtendedEvent | PayingEvent | PaidEvent,
  kind: Memo['kind'],
): void {
  if (event.idempotency === undefined) return;
  state.idempotency.remember(reservation.userId, event.idempotency, {
    kind,
    seq: event.seq,
    atMs: event.atMs,
    fingerprint: event.idempotency.fingerprint,
    number: event.number,
    // A paid reservation does not expire; nothing asks for the time.
    expiresAtMs: kind === 'paid' ? 0 : reservation.expiresAtMs,
  });
}

/** The key of a payment that is over, or whose seats are gone: only a success is remembered. */
function forgetKey(
  state: ScheduleState,
  { userId }: Reservation,
  paymentSeq: number,
  { idempotency }: OpenPayment,
): void {
  if (idempotency !== undefined) state.idempotency.forget(userId, idempotency, paymentSeq);
}

function openPayment(
  state: ScheduleState,
  number: number,
  paymentSeq: number,
): { readonly reservation: Reservation; readonly open: OpenPayment } {
  const reservation = state.reservations.get(number);
  assert(reservation !== undefined, 'a reservation with an open payment is in memory');
  const { payment } = reservation;
  assert(payment?.seq === paymentSeq && payment.open !== undefined, 'I5: a payment is settled once');
  return { reservation, open: payment.open };
}

type LiveCount = 'held' | 'paying' | 'paid';

function moveSeats(state: ScheduleState, { seats }: Reservation, from: LiveCount, to: LiveCount): void {
  state.seatCounts[from] -= seats.length;
  state.seatCounts[to] += seats.length;
}

function end(state: ScheduleState, event: CancelledEvent | ExpiredEvent, status: ReservationStatus): void {
  const reservation = state.reservations.get(event.number);
  assert(reservation !== undefined, 'an event names a reservation in memory');
  const wasPaying = reservation.status === 'PAYING';
  assert(
    reservation.status === 'HELD' || (wasPaying && status === 'EXPIRED'),
    'only a hold is cancelled, and only what expires has expired',
  );
  setHolders(state, reservation.seats, reservation.number, freeHolder);
  state.free.release(reservation.seats);
  state.seatCounts[wasPaying ? 'paying' : 'held'] -= reservation.seats.length;
  state.expiries.remove(reservation);
  reservation.status = status;
  reservation.endedAtMs = event.atMs;
  reservation.seq = event.seq;
  countLiveSeats(state, reservation.userId, -reservation.seats.length);
  const { payment } = reservation;
  // While its payment is open it is not forgotten; payment-failed puts it in line.
  if (payment?.open === undefined) state.ended.numbers.push(reservation.number);
  else forgetKey(state, reservation, payment.seq, payment.open);
}

function openHold(state: ScheduleState, number: number): Reservation {
  const reservation = state.reservations.get(number);
  assert(reservation !== undefined, 'an event names a reservation in memory');
  assert(reservation.status === 'HELD', 'only a hold is extended or paid');
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
