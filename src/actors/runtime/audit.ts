import { formatPaymentId } from '../allocator/ids.ts';
import { checkInvariants } from '../allocator/invariants.ts';
import { isLive, type Reservation } from '../allocator/reservation.ts';
import type { ScheduleState } from '../allocator/state.ts';
import type { AuditedPayment, LedgerAudit } from './ledger.ts';
import type { AuditCheck } from './outcome.ts';
import type { StoredSchedule } from './ports.ts';
import { recoverState } from './recovery.ts';

/** Compares a schedule in memory with what the store would give back and with the ledger, as of one moment. */
export function auditSchedule(
  live: ScheduleState,
  stored: StoredSchedule,
  ledger: LedgerAudit,
): readonly AuditCheck[] {
  const gap = stored.tail.findIndex((row, index) => row.seq !== stored.image.projectedSeq + 1 + index);
  if (gap !== -1) return [toCheck('I6', [`the journal has a gap before seq ${stored.tail[gap]?.seq}`], '')];
  let rebuilt: ScheduleState;
  try {
    rebuilt = recoverState(live.terms, stored);
  } catch (error) {
    return [toCheck('I11', [`the store can't be replayed: ${error}`], '')];
  }
  const seqFaults =
    rebuilt.seq === live.seq ? [] : [`memory is at seq ${live.seq}, the store at ${rebuilt.seq}`];
  const { held, paying, paid, blocked } = live.seatCounts;
  return [
    toCheck(
      'I4',
      ledger.accountFaults,
      `${ledger.accountsChecked} accounts of its payers: no balance below 0, each the sum of its entries`,
    ),
    toCheck(
      'I5',
      paymentFaults(live, ledger.payments),
      `${paid} paid seats, each with one approved payment of its amount, user and reservation, and no other`,
    ),
    ...checkInvariants(live).map(({ invariant, statement, faults }) => toCheck(invariant, faults, statement)),
    toCheck('I6', seqFaults, `seq 1…${live.seq} without a gap`),
    toCheck('I8', rememberedFaults(live, rebuilt), `${live.idempotency.size} requests remembered`),
    toCheck(
      'I11',
      seatFaults(live, rebuilt),
      `rebuilt from the store = live: ${live.free.count} free + ${held} held + ${paying} paying + ${paid} paid + ${blocked} blocked = ${live.terms.map.seatCount}`,
    ),
  ];
}

const faultsShownMax = 10;

const toCheck = (invariant: string, faults: readonly string[], pass: string): AuditCheck => ({
  invariant,
  ok: faults.length === 0,
  detail: faults.length === 0 ? pass : faults.slice(0, faultsShownMax).join('; '),
});

function seatFaults(live: ScheduleState, rebuilt: ScheduleState): readonly string[] {
  const faults: string[] = [];
  for (let seat = 0; seat < live.holders.length; seat++) {
    if (live.holders[seat] === rebuilt.holders[seat]) continue;
    faults.push(
      `seat ${live.terms.map.seatIds[seat]}: holder ${live.holders[seat]} in memory, ${rebuilt.holders[seat]} in the store`,
    );
  }
  if (live.free.words.some((word, index) => word !== rebuilt.free.words[index]))
    faults.push('the bitmaps differ');
  for (const [number, reservation] of live.reservations) {
    const stored = rebuilt.reservations.get(number);
    if (stored === undefined) {
      if (isLive(reservation.status)) faults.push(`reservation ${number}: not in the store`);
      continue;
    }
    const [inMemory, inStore] = [describe(reservation), describe(stored)];
    if (inMemory !== inStore)
      faults.push(`reservation ${number}: ${inMemory} in memory, ${inStore} in the store`);
  }
  return faults;
}

/**
 * I5 between actor and ledger. A payment that is open on either side is on its way: the ledger decides before
 * the actor hears of it, so an approval may be a step ahead, and a refund too.
 */
function paymentFaults(live: ScheduleState, payments: readonly AuditedPayment[]): readonly string[] {
  const faults: string[] = [];
  const unmatched = new Map<string, Reservation>();
  const open = new Set<string>();
  for (const reservation of live.reservations.values()) {
    const { number, payment } = reservation;
    if (payment === undefined) continue;
    const paymentId = formatPaymentId(live.terms.scheduleId, number, payment.seq);
    if (payment.open === undefined) unmatched.set(paymentId, reservation);
    else open.add(paymentId);
  }
  for (const { paymentId, number, userId, amountMinor, status } of payments) {
    const reservation = unmatched.get(paymentId);
    if (reservation === undefined) {
      const isOver = status === 'REFUNDED' || open.has(paymentId);
      if (!isOver)
        faults.push(`payment ${paymentId} is ${status} and reservation ${number} is not paid with it`);
      continue;
    }
    unmatched.delete(paymentId);
    const isOfIt =
      number === reservation.number &&
      userId === reservation.userId &&
      amountMinor === reservation.totalMinor;
    if (status !== 'APPROVED' || !isOfIt) {
      faults.push(
        `reservation ${reservation.number} of ${reservation.userId} for ${reservation.totalMinor} is paid with ${paymentId}, which is ${status}: ${userId}, ${amountMinor}`,
      );
    }
  }
  for (const [paymentId, { number }] of unmatched) {
    faults.push(`reservation ${number} is PAID and the ledger has no payment ${paymentId}`);
  }
  return faults;
}

/** Everything of a reservation but its place in the expiry queue. */
const describe = ({ expiryIndex: _expiryIndex, ...reservation }: Reservation): string =>
  JSON.stringify(reservation);

const rememberedFaults = (live: ScheduleState, rebuilt: ScheduleState): readonly string[] =>
  live.idempotency.size >= rebuilt.idempotency.size
    ? []
    : [`${live.idempotency.size} requests remembered, ${rebuilt.idempotency.size} in the store`];
