import { evolve } from '../allocator/evolve.ts';
import { type Memo, memoKinds } from '../allocator/idempotency-window.ts';
import type { ReservationNumber, UserId } from '../allocator/ids.ts';
import type { OpenPayment, Payment } from '../allocator/open-payment.ts';
import { reservationStatuses } from '../allocator/reservation.ts';
import { finishRestore, restoreBlockedSeats, restoreMemo, restoreReservation } from '../allocator/restore.ts';
import { emptyState, type ScheduleState, type ScheduleTerms } from '../allocator/state.ts';
import { decodeEvent } from './event-codec.ts';
import type { JournalRow, MarkColumns, ReservationColumns, StoredSchedule } from './ports.ts';

/** State from the store: projections up to projectedSeq, then evolve over the journal behind them. */
export function recoverState(terms: ScheduleTerms, stored: StoredSchedule): ScheduleState {
  const { image, tail } = stored;
  const state = emptyState(terms);
  const openOf = new Map(image.openPayments.map(({ number, ...open }) => [number, open]));
  restoreReservations(state, image.reservations, openOf);
  restoreBlockedSeats(state, [...image.blockedSeats]);
  restoreMarks(state, image.marks);
  finishRestore(state, {
    seq: image.projectedSeq,
    lastAtMs: image.lastAtMs,
    lastReservationNumber: image.lastReservationNumber,
  });
  catchUp(state, tail);
  return state;
}

/** Evolves a state over what has happened since it was loaded. @param tail by seq, the first one next. */
export function catchUp(state: ScheduleState, tail: readonly JournalRow[]): void {
  for (const row of tail) evolve(state, decodeEvent(row));
}

function restoreReservations(
  state: ScheduleState,
  columns: ReservationColumns,
  openOf: ReadonlyMap<ReservationNumber, OpenPayment>,
): void {
  let seatOffset = 0;
  for (let i = 0; i < columns.count; i++) {
    const number = columns.number[i] as ReservationNumber;
    const seatCount = columns.seatCount[i] as number;
    const seats = Array.from(columns.seats.subarray(seatOffset, seatOffset + seatCount));
    seatOffset += seatCount;
    restoreReservation(state, {
      number,
      userId: columns.userId[i] as UserId,
      seats,
      totalMinor: columns.totalMinor[i] as number,
      heldAtMs: columns.heldAtMs[i] as number,
      status: reservationStatuses[columns.status[i] as number] as (typeof reservationStatuses)[number],
      expiresAtMs: columns.expiresAtMs[i] as number,
      endedAtMs: columns.endedAtMs[i] as number,
      seq: columns.seq[i] as number,
      payment: paymentOf(columns.paymentSeq[i] as number, columns.paidAtMs[i] as number, openOf.get(number)),
    });
  }
}

const paymentOf = (seq: number, paidAtMs: number, open: OpenPayment | undefined): Payment | undefined =>
  seq === 0 ? undefined : { seq, paidAtMs, open };

function restoreMarks(state: ScheduleState, columns: MarkColumns): void {
  for (let i = 0; i < columns.count; i++) {
    restoreMemo(state, columns.userId[i] as string, columns.key[i] as string, {
      kind: memoKinds[columns.kind[i] as number] as Memo['kind'],
      seq: columns.seq[i] as number,
      atMs: columns.atMs[i] as number,
      fingerprint: columns.fingerprint[i] as number,
      number: columns.number[i] as ReservationNumber,
      expiresAtMs: columns.expiresAtMs[i] as number,
    });
  }
}
