import { expires, hasOpenPayment, isLive, type Reservation, type ReservationStatus } from './reservation.ts';
import { blockedHolder, freeHolder, type ScheduleState } from './state.ts';

/**
 * Whole-state checks, O(seats + reservations): after recovery, in audits and in tests. Each returns one line
 * a fault; an empty list is a pass.
 */
interface InvariantCheck {
  readonly invariant: string;
  /** What a pass means. */
  readonly statement: string;
  readonly faults: readonly string[];
}

export function checkInvariants(state: ScheduleState): readonly InvariantCheck[] {
  return [
    { invariant: 'I1', statement: 'each seat has one holder or none', faults: checkHolders(state) },
    { invariant: 'I5', statement: 'each status has the payment that it needs', faults: checkPayments(state) },
    { invariant: 'I6', statement: 'each open hold will end in time', faults: checkExpiries(state) },
    { invariant: 'I11', statement: 'bitmap, holders and counts agree', faults: checkCounts(state) },
  ];
}

/** I1: each live reservation holds its seats, and no seat is held by anything else. */
function checkHolders(state: ScheduleState): readonly string[] {
  const faults: string[] = [];
  let live = 0;
  for (const reservation of state.reservations.values()) {
    if (!isLive(reservation.status)) continue;
    for (const seat of reservation.seats) {
      live += 1;
      if (state.holders[seat] !== reservation.number) {
        faults.push(`seat ${seat} of reservation ${reservation.number} has holder ${state.holders[seat]}`);
      }
    }
  }
  const held = state.holders.reduce((sum, holder) => sum + (holder > freeHolder ? 1 : 0), 0);
  if (held !== live) faults.push(`${held} seats have a holder, live reservations have ${live}`);
  return faults;
}

/** I5, the actor's half: PAYING has an open payment, PAID a made one, and nothing else but EXPIRED has any. */
function checkPayments(state: ScheduleState): readonly string[] {
  const faults: string[] = [];
  for (const reservation of state.reservations.values()) {
    if (!isPaymentFitting(reservation)) {
      faults.push(
        `reservation ${reservation.number} is ${reservation.status} with payment ${JSON.stringify(reservation.payment)}`,
      );
    }
  }
  return faults;
}

function isPaymentFitting({ status, payment }: Reservation): boolean {
  switch (status) {
    case 'PAYING':
      return payment?.open !== undefined;
    case 'PAID':
      return payment !== undefined && payment.open === undefined && payment.paidAtMs > 0;
    case 'EXPIRED':
      return payment === undefined || hasOpenPayment({ payment });
    case 'HELD':
    case 'CANCELLED':
      return payment === undefined;
  }
}

/** I6: the expiry queue has exactly what ends by itself: open holds, and payments under way. */
function checkExpiries(state: ScheduleState): readonly string[] {
  let holds = 0;
  const faults: string[] = [];
  for (const reservation of state.reservations.values()) {
    if (expires(reservation.status)) holds += 1;
    if ((reservation.expiryIndex !== -1) !== expires(reservation.status)) {
      faults.push(
        `reservation ${reservation.number} is ${reservation.status} at expiry index ${reservation.expiryIndex}`,
      );
    }
  }
  if (holds !== state.expiries.size)
    faults.push(`${holds} holds, ${state.expiries.size} in the expiry queue`);
  return faults;
}

function seatsWith(state: ScheduleState, status: ReservationStatus): number {
  let seats = 0;
  for (const reservation of state.reservations.values()) {
    if (reservation.status === status) seats += reservation.seats.length;
  }
  return seats;
}

/** I11: free + held + paying + paid + blocked = capacity, and the bitmap agrees with the holders. */
function checkCounts(state: ScheduleState): readonly string[] {
  const faults: string[] = [];
  const { held, paying, paid, blocked } = state.seatCounts;
  const capacity = state.terms.map.seatCount;
  const sum = state.free.count + held + paying + paid + blocked;
  if (sum !== capacity) faults.push(`free + held + paying + paid + blocked = ${sum}, capacity ${capacity}`);
  let blockedSeats = 0;
  for (let seat = 0; seat < capacity; seat++) {
    const holder = state.holders[seat] as number;
    if (holder === blockedHolder) blockedSeats += 1;
    if (state.free.isFree(seat) !== (holder === freeHolder))
      faults.push(`seat ${seat}: bitmap and holder ${holder} disagree`);
  }
  if (blockedSeats !== blocked) faults.push(`${blockedSeats} seats are blocked, counted ${blocked}`);
  for (const [status, counted] of [
    ['HELD', held],
    ['PAYING', paying],
    ['PAID', paid],
  ] as const) {
    const seats = seatsWith(state, status);
    if (seats !== counted) faults.push(`${seats} seats are ${status}, counted ${counted}`);
  }
  return faults;
}
