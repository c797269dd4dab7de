import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import {
  isLiveStatus,
  type JournalModel,
  type ModelEvent,
  type ModelState,
  nobody,
  openHolds,
} from '../model/journal-model.ts';
import type { Invariant, Violation } from '../violation.ts';
import { dayMs, type Sale, type World } from '../world.ts';

/** The journal of one schedule, row by row: no row may contradict the rows before it. */
export function checkJournal(world: World, sale: Sale, model: JournalModel): readonly Violation[] {
  const violations: Violation[] = [];
  for (const [index, event] of model.events.entries()) {
    const before = model.at(index);
    const blame = (invariant: Invariant, message: string) =>
      violations.push({
        invariant,
        message: `schedule ${sale.scheduleId}, row ${index + 1} (seq ${event.seq}, ${event.type}): ${message}`,
      });
    checkSequence(before, event, blame);
    checkSeats(sale, before, event, blame);
    if (event.type === 'held') checkHeld(world, sale, before, event, blame);
    if (event.type === 'extended') checkExtended(world, before, event, blame);
    if (event.type === 'cancelled' || event.type === 'expired') checkEnd(before, event, blame);
    if (event.type === 'paying') checkPaying(world, before, event, blame);
    if (event.type === 'paid') checkPaid(before, event, blame);
    if (event.type === 'payment-failed') checkPaymentFailed(before, event, blame);
  }
  return violations;
}

type Blame = (invariant: Invariant, message: string) => void;

/** I6: gapless, never back in time, and what is due ends before anything else of that moment. */
function checkSequence(before: ModelState, event: ModelEvent, blame: Blame): void {
  if (event.seq !== before.seq + 1) blame('I6', `the seq before is ${before.seq}`);
  if (event.atMs < before.lastAtMs) blame('I6', `time went back by ${before.lastAtMs - event.atMs} ms`);
  if (event.type === 'expired') return;
  const due = openHolds(before).find((hold) => hold.expiresAtMs <= event.atMs);
  if (due !== undefined) blame('I6', `hold ${due.number} was due at ${due.expiresAtMs} and still open`);
}

/** I1 and I11: seats are taken from nobody, and given back by who had them. */
function checkSeats(sale: Sale, before: ModelState, event: ModelEvent, blame: Blame): void {
  const taken = event.type === 'held' || event.type === 'blocked' ? event.seats : [];
  for (const seat of taken) {
    if (sale.hall.seats[seat] === undefined) blame('I11', `there is no seat ${seat}`);
    else if (before.holders[seat] !== nobody) blame('I1', `seat ${seat} has holder ${before.holders[seat]}`);
  }
  if (new Set(taken).size !== taken.length) blame('I1', 'a seat is named twice');
  if (event.type !== 'unblocked') return;
  const notBlocked = event.seats.filter((seat) => (before.holders[seat] ?? nobody) >= nobody);
  if (notBlocked.length > 0) blame('I11', `seats ${notBlocked.join(' ')} were not blocked`);
}

function checkHeld(world: World, sale: Sale, before: ModelState, event: ModelEvent, blame: Blame): void {
  if (event.number !== before.lastNumber + 1)
    blame('I6', `reservation ${event.number} after ${before.lastNumber}`);
  const expiresAtMs = event.atMs + world.limits.holdTtlMs;
  if (event.expiresAtMs !== expiresAtMs)
    blame('terms', `it ends at ${event.expiresAtMs}, not ${expiresAtMs}`);
  if (event.atMs < sale.onSaleAtMs) blame('terms', 'the sale had not begun');
  const priceMinor = event.seats
    .map((seat) => sale.priceMinorOf.get(sale.hall.seats[seat]?.category ?? '') ?? Number.NaN)
    .reduce((sum, price) => sum + price, 0);
  if (event.totalMinor !== priceMinor) blame('terms', `it costs ${event.totalMinor}, not ${priceMinor}`);
  const live = liveSeats(before, event.userId) + event.seats.length;
  if (live > sale.seatsPerUserMax)
    blame('terms', `${event.userId} has ${live} of ${sale.seatsPerUserMax} seats`);
}

function checkExtended(world: World, before: ModelState, event: ModelEvent, blame: Blame): void {
  const hold = before.reservations.get(event.number);
  if (hold?.status !== 'HELD')
    return blame('I6', `reservation ${event.number} is ${hold?.status ?? 'unknown'}`);
  const latestMs = hold.heldAtMs + world.limits.holdTotalMaxMs;
  const expiresAtMs = Math.min(Math.max(event.atMs + world.limits.holdTtlMs, hold.expiresAtMs), latestMs);
  if (event.expiresAtMs !== expiresAtMs)
    blame('terms', `it ends at ${event.expiresAtMs}, not ${expiresAtMs}`);
  if (hold.expiresAtMs >= latestMs) blame('terms', 'it could not be extended any more');
}

function checkEnd(before: ModelState, event: ModelEvent, blame: Blame): void {
  const hold = before.reservations.get(event.number);
  const mayEnd = hold?.status === 'HELD' || (hold?.status === 'PAYING' && event.type === 'expired');
  if (!mayEnd) return blame('I6', `reservation ${event.number} is ${hold?.status ?? 'unknown'}`);
  if (event.type === 'expired' && hold.expiresAtMs > event.atMs) {
    blame('I6', `hold ${hold.number} has time until ${hold.expiresAtMs}`);
  }
}

function checkPaying(world: World, before: ModelState, event: ModelEvent, blame: Blame): void {
  const { holdTotalMaxMs, paymentMaxMs } = world.limits;
  const hold = before.reservations.get(event.number);
  if (hold?.status !== 'HELD')
    return blame('I5', `reservation ${event.number} is ${hold?.status ?? 'unknown'}`);
  const untilMs = Math.max(event.atMs + paymentMaxMs, hold.expiresAtMs);
  if (event.expiresAtMs !== untilMs) blame('terms', `it has time until ${event.expiresAtMs}, not ${untilMs}`);
  if (event.holdLeftMs !== hold.expiresAtMs - event.atMs)
    blame('terms', `the hold had ${hold.expiresAtMs - event.atMs} ms left, not ${event.holdLeftMs}`);
  if (event.atMs >= hold.heldAtMs + holdTotalMaxMs + paymentMaxMs)
    blame('terms', 'it had been held for too long');
}

/** I5; that it comes in time is checked with everything that is due. */
function checkPaid(before: ModelState, event: ModelEvent, blame: Blame): void {
  const own = before.reservations.get(event.number);
  const isItsPayment = own?.payment?.isOpen === true && own.payment.seq === event.paymentSeq;
  if (own?.status !== 'PAYING' || !isItsPayment) {
    return blame('I5', `payment ${event.paymentSeq} of ${JSON.stringify(own)}`);
  }
}

/** Back to a hold with what it had left, 30 s at least; or the end of a payment that came too late. */
function checkPaymentFailed(before: ModelState, event: ModelEvent, blame: Blame): void {
  const own = before.reservations.get(event.number);
  if (own?.payment?.isOpen !== true || own.payment.seq !== event.paymentSeq)
    return blame('I5', `payment ${event.paymentSeq} of ${JSON.stringify(own)}`);
  const isBack = event.expiresAtMs !== undefined;
  if (isBack !== (own.status === 'PAYING')) blame('I5', `it is ${own.status}`);
  const untilMs = event.atMs + Math.max(own.payment.holdLeftMs, 30_000);
  if (isBack && event.expiresAtMs !== untilMs)
    blame('terms', `the hold is back until ${event.expiresAtMs}, not ${untilMs}`);
}

/**
 * I8: a user's key stands for one success in 24 h. A clock that has shown a later time in between has
 * brought the end of the window with it, whatever it shows now.
 */
export function checkMarks(
  scheduleId: ScheduleId,
  model: JournalModel,
  latestWallMsOf: (seq: number) => number,
): readonly Violation[] {
  const violations: Violation[] = [];
  const newest = new Map<string, ModelEvent>();
  for (const { event, userId } of model.marks(model.length)) {
    const key = `${userId} ${event.idempotency?.key}`;
    const first = newest.get(key);
    if (first !== undefined && latestWallMsOf(event.seq) < first.atMs + dayMs) {
      violations.push({
        invariant: 'I8',
        message: `schedule ${scheduleId}: ${key} made both seq ${first.seq} and seq ${event.seq}`,
      });
    }
    newest.set(key, event);
  }
  return violations;
}

export const liveSeats = (state: ModelState, userId: string): number =>
  [...state.reservations.values()]
    .filter((reservation) => reservation.userId === userId && isLiveStatus(reservation.status))
    .reduce((sum, reservation) => sum + reservation.seats.length, 0);
