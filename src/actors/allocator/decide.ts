import { findAdjacentSeats, findScatteredSeats, hasFreeSeat, type SeatFilter } from './adjacent-seats.ts';
import { assert } from './assert.ts';
import type {
  BlockCommand,
  CancelCommand,
  Command,
  ExpireCommand,
  ExtendCommand,
  HoldBestCommand,
  HoldCommand,
  PayCommand,
  SettlePaymentCommand,
  UnblockCommand,
} from './command.ts';
import type { ExpiredEvent, HeldEvent, ScheduleEvent } from './event.ts';
import { adjacentSeatsMax } from './free-seats.ts';
import type { ReservationNumber, UserId } from './ids.ts';
import { strandedSeats } from './orphan-seats.ts';
import { holdFloorMs } from './payment.ts';
import type { Rejection } from './rejection.ts';
import type { Reservation } from './reservation.ts';
import { blockedHolder, freeHolder, type ScheduleState } from './state.ts';

/** Holds that one expire command ends; the actor sends another while more are due. */
export const expiriesPerCommandMax = 500;

/** No events: the command asks for what is already so. */
export type Decision = readonly ScheduleEvent[] | Rejection;

export const isRejection = (decision: readonly unknown[] | Rejection): decision is Rejection =>
  !Array.isArray(decision);

/**
 * What a command comes to: events, all of them or none (I10), or one refusal. Changes nothing, knows no
 * clock, and answers the same for the same state and command.
 *
 * The actor has sent `expire` for the same moment before: a hold that is due is EXPIRED here already (I6).
 */
export function decide(state: ScheduleState, command: Command): Decision {
  assert(command.nowMs >= state.lastAtMs, 'time does not go back within a schedule');
  switch (command.kind) {
    case 'hold':
      return decideHold(state, command);
    case 'hold-best':
      return decideHoldBest(state, command);
    case 'extend':
      return decideExtend(state, command);
    case 'cancel':
      return decideCancel(state, command);
    case 'pay':
      return decidePay(state, command);
    case 'settle-payment':
      return decideSettlePayment(state, command);
    case 'expire':
      return decideExpire(state, command);
    case 'block':
      return decideBlock(state, command);
    case 'unblock':
      return decideUnblock(state, command);
  }
}

function decideHold(state: ScheduleState, command: HoldCommand): Decision {
  const { terms } = state;
  if (command.nowMs < terms.onSaleAtMs) return { code: 'not-on-sale', onSaleAtMs: terms.onSaleAtMs };
  const seats = resolveSeats(state, command.seatIds);
  if (isRejection(seats)) return seats;
  assert(seats.length <= terms.seatsPerReservationMax, 'the size of a request is checked at the edge');

  if (!seats.every((seat) => state.holders[seat] === freeHolder)) {
    return {
      code: 'seats-taken',
      conflictingSeatIds: seatIdsWhere(state, seats, (holder) => holder !== freeHolder),
    };
  }
  if (terms.orphanRule) {
    const stranded = strandedSeats(terms.map, state.free, seats);
    if (stranded.length > 0) {
      return { code: 'orphan-seat', seatIds: stranded.map((seat) => terms.map.seatIds[seat] as string) };
    }
  }
  return held(state, command, seats);
}

function decideHoldBest(state: ScheduleState, command: HoldBestCommand): Decision {
  const { terms, free } = state;
  const { map } = terms;
  if (command.nowMs < terms.onSaleAtMs) return { code: 'not-on-sale', onSaleAtMs: terms.onSaleAtMs };
  const filter = resolveFilter(state, command);
  if ('code' in filter) return filter;
  const { quantity } = command;
  assert(quantity >= 1 && quantity <= adjacentSeatsMax, 'the size of a request is checked at the edge');

  const first = findAdjacentSeats(map, free, quantity, filter);
  if (first !== -1) {
    const seats = Array.from({ length: quantity }, (_, i) => first + i);
    return held(state, command, seats);
  }
  const scattered = command.adjacent ? undefined : findScatteredSeats(map, free, quantity, filter);
  if (scattered !== undefined) return held(state, command, scattered);
  return hasFreeSeat(map, free, filter) ? { code: 'not-enough-adjacent-seats' } : { code: 'sold-out' };
}

function held(
  state: ScheduleState,
  command: HoldCommand | HoldBestCommand,
  seats: readonly number[],
): Decision {
  const { terms } = state;
  if (terms.seatsPerUserMax !== Number.POSITIVE_INFINITY) {
    const live = state.liveSeatsOfUser.get(command.userId) ?? 0;
    if (live + seats.length > terms.seatsPerUserMax) {
      return { code: 'seat-limit-exceeded', limit: terms.seatsPerUserMax };
    }
  }
  const event: HeldEvent = {
    type: 'held',
    seq: state.seq + 1,
    atMs: command.nowMs,
    number: (state.lastReservationNumber + 1) as ReservationNumber,
    userId: command.userId,
    seats,
    totalMinor: totalPriceMinor(state, seats),
    expiresAtMs: command.nowMs + terms.holdTtlMs,
  };
  return [command.idempotency === undefined ? event : { ...event, idempotency: command.idempotency }];
}

function decideExtend(state: ScheduleState, command: ExtendCommand): Decision {
  const reservation = findOwn(state, command.number, command.userId);
  if (reservation === undefined) return { code: 'not-found' };
  if (reservation.status !== 'HELD') return refusalOf(reservation);
  const latestMs = reservation.heldAtMs + state.terms.holdTotalMaxMs;
  if (reservation.expiresAtMs >= latestMs) return { code: 'hold-limit-reached' };
  const wantedMs = Math.max(command.nowMs + state.terms.holdTtlMs, reservation.expiresAtMs);
  return [
    {
      type: 'extended',
      seq: state.seq + 1,
      atMs: command.nowMs,
      number: reservation.number,
      expiresAtMs: Math.min(wantedMs, latestMs),
      ...(command.idempotency === undefined ? undefined : { idempotency: command.idempotency }),
    },
  ];
}

function decideCancel(state: ScheduleState, command: CancelCommand): Decision {
  const reservation = findOwn(state, command.number, command.userId);
  if (reservation === undefined) return { code: 'not-found' };
  if (reservation.status === 'CANCELLED') return [];
  if (reservation.status !== 'HELD') return refusalOf(reservation);
  return [{ type: 'cancelled', seq: state.seq + 1, atMs: command.nowMs, number: reservation.number }];
}

/**
 * The amount is the one at hold time (I5). A hold that lives on time that failed payments gave back may be
 * paid for one payment's time more, so that declined cards can't keep seats for ever.
 */
function decidePay(state: ScheduleState, command: PayCommand): Decision {
  const { terms } = state;
  const reservation = findOwn(state, command.number, command.userId);
  if (reservation === undefined) return { code: 'not-found' };
  if (reservation.status !== 'HELD') return refusalOf(reservation);
  if (command.nowMs >= reservation.heldAtMs + terms.holdTotalMaxMs + terms.paymentMaxMs) {
    return { code: 'hold-limit-reached' };
  }
  return [
    {
      type: 'paying',
      seq: state.seq + 1,
      atMs: command.nowMs,
      number: reservation.number,
      method: command.method,
      holdLeftMs: reservation.expiresAtMs - command.nowMs,
      // Nobody loses time by paying.
      expiresAtMs: Math.max(command.nowMs + terms.paymentMaxMs, reservation.expiresAtMs),
      ...(command.idempotency === undefined ? undefined : { idempotency: command.idempotency }),
    },
  ];
}

/** Comes again and again until it is told that it has been heard: a payment that is over changes nothing. */
function decideSettlePayment(state: ScheduleState, command: SettlePaymentCommand): Decision {
  const { number, paymentSeq, result, nowMs } = command;
  const reservation = state.reservations.get(number);
  const payment = reservation?.payment;
  if (reservation === undefined || payment?.seq !== paymentSeq || payment.open === undefined) return [];
  const base = { seq: state.seq + 1, atMs: nowMs, number, paymentSeq };
  const hasSeats = reservation.status === 'PAYING';
  if (result.reason === 'approved') {
    // The seats may be somebody else's by now: the money goes back (I5).
    if (!hasSeats) return refusalOf(reservation);
    const { idempotency } = payment.open;
    return [{ type: 'paid', ...base, ...(idempotency === undefined ? undefined : { idempotency }) }];
  }
  const backUntilMs = nowMs + Math.max(payment.open.holdLeftMs, holdFloorMs);
  return [
    {
      type: 'payment-failed',
      ...base,
      failure: result,
      ...(hasSeats ? { expiresAtMs: backUntilMs } : undefined),
    },
  ];
}

function decideExpire(state: ScheduleState, command: ExpireCommand): Decision {
  const due = state.expiries.due(command.nowMs, expiriesPerCommandMax);
  return due.map(
    (hold, index): ExpiredEvent => ({
      type: 'expired',
      seq: state.seq + 1 + index,
      atMs: command.nowMs,
      number: hold.number,
    }),
  );
}

function decideBlock(state: ScheduleState, command: BlockCommand): Decision {
  const seats = resolveSeats(state, command.seatIds);
  if (isRejection(seats)) return seats;
  const conflicts = seatIdsWhere(state, seats, (holder) => holder > freeHolder);
  if (conflicts.length > 0) return { code: 'seats-taken', conflictingSeatIds: conflicts };
  const open = seats.filter((seat) => state.holders[seat] === freeHolder);
  if (open.length === 0) return [];
  return [{ type: 'blocked', seq: state.seq + 1, atMs: command.nowMs, seats: open }];
}

function decideUnblock(state: ScheduleState, command: UnblockCommand): Decision {
  const seats = resolveSeats(state, command.seatIds);
  if (isRejection(seats)) return seats;
  const blocked = seats.filter((seat) => state.holders[seat] === blockedHolder);
  if (blocked.length === 0) return [];
  return [{ type: 'unblocked', seq: state.seq + 1, atMs: command.nowMs, seats: blocked }];
}

/** Ordinals in the sender's order; a refusal that names every unknown, else every repeated seat. */
function resolveSeats(state: ScheduleState, seatIds: readonly string[]): readonly number[] | Rejection {
  // Of the exact length: the reservation keeps this array for as long as it lives.
  const seats = new Array<number>(seatIds.length);
  for (let index = 0; index < seats.length; index++) {
    const ordinal = state.terms.map.ordinalOf(seatIds[index] as string);
    if (ordinal === undefined) return unknownSeats(state, seatIds);
    seats[index] = ordinal;
  }
  // A pair needs no set, and nearly every request is a pair or less.
  const isRepeated =
    seats.length > 2 ? new Set(seats).size < seats.length : seats.length === 2 && seats[0] === seats[1];
  if (!isRepeated) return seats;
  const repeated = seatIds.filter((seatId, index) => seatIds.indexOf(seatId) !== index);
  return { code: 'duplicate-seats', seatIds: [...new Set(repeated)] };
}

function unknownSeats(state: ScheduleState, seatIds: readonly string[]): Rejection {
  const unknown = seatIds.filter((seatId) => state.terms.map.ordinalOf(seatId) === undefined);
  return { code: 'unknown-seats', seatIds: [...new Set(unknown)] };
}

function resolveFilter(state: ScheduleState, command: HoldBestCommand): SeatFilter | Rejection {
  const { map } = state.terms;
  const category = command.category === undefined ? -1 : map.categories.indexOf(command.category);
  if (command.category !== undefined && category === -1) {
    return {
      code: 'invalid-request',
      path: 'bestAvailable.category',
      message: 'must be a category of the venue',
    };
  }
  const section = command.section === undefined ? -1 : map.sections.indexOf(command.section);
  if (command.section !== undefined && section === -1) {
    return {
      code: 'invalid-request',
      path: 'bestAvailable.section',
      message: 'must be a section of the venue',
    };
  }
  return { category, section };
}

/** Somebody else's reservation is as good as none. */
function findOwn(state: ScheduleState, number: ReservationNumber, userId: UserId): Reservation | undefined {
  const reservation = state.reservations.get(number);
  return reservation?.userId === userId ? reservation : undefined;
}

/** Why a reservation that is no longer HELD can't be changed. */
function refusalOf(reservation: Reservation): Rejection {
  switch (reservation.status) {
    case 'PAYING':
      return { code: 'payment-in-progress' };
    case 'PAID':
      return { code: 'already-paid' };
    case 'EXPIRED':
      return { code: 'hold-expired' };
    case 'CANCELLED':
      return { code: 'already-cancelled' };
    case 'HELD':
      assert(false, 'a held reservation is not refused for its status');
  }
}

const seatIdsWhere = (
  state: ScheduleState,
  seats: readonly number[],
  matches: (holder: number) => boolean,
): readonly string[] =>
  seats
    .filter((seat) => matches(state.holders[seat] as number))
    .map((seat) => state.terms.map.seatIds[seat] as string);

function totalPriceMinor(state: ScheduleState, seats: readonly number[]): number {
  const { map, priceMinorOfCategory } = state.terms;
  let totalMinor = 0;
  for (const seat of seats) totalMinor += priceMinorOfCategory[map.categoryOf(seat)] as number;
  assert(Number.isSafeInteger(totalMinor), 'every category has an integer price');
  return totalMinor;
}
