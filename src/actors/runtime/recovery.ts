import { evolve } from '../allocator/evolve.ts';
import type { Memo } from '../allocator/idempotency-window.ts';
import type { ReservationNumber, UserId } from '../allocator/ids.ts';
import { reservationStatuses } from '../allocator/reservation.ts';
import { finishRestore, restoreBlockedSeats, restoreMemo, restoreReservation } from '../allocator/restore.ts';
import { emptyState, type ScheduleState, type ScheduleTerms } from '../allocator/state.ts';
import { decodeEvent } from './event-codec.ts';
import type { MarkColumns, ReservationColumns, StoredSchedule } from './ports.ts';

/** State from the store: projections up to projectedSeq, then evolve over the journal behind them. */
export function recoverState(terms: ScheduleTerms, stored: StoredSchedule): ScheduleState {
  const { image, tail } = stored;
  const state = emptyState(terms);
  restoreReservations(state, image.reservations);
  restoreBlockedSeats(state, [...image.blockedSeats]);
  restoreMarks(state, image.marks);
  finishRestore(state, {
    seq: image.projectedSeq,
    lastAtMs: image.lastAtMs,
    lastReservationNumber: image.lastReservationNumber,
  });
  for (const row of tail) evolve(state, decodeEvent(row));
  return state;
}

function restoreReservations(state: ScheduleState, columns: ReservationColumns): void {
  let seatOffset = 0;
  for (let i = 0; i < columns.count; i++) {
    const seatCount = columns.seatCount[i] as number;
    const seats = Array.from(columns.seats.subarray(seatOffset, seatOffset + seatCount));
    seatOffset += seatCount;
    restoreReservation(state, {
      number: columns.number[i] as ReservationNumber,
      userId: columns.userId[i] as UserId,
      seats,
      totalMinor: columns.totalMinor[i] as number,
      heldAtMs: columns.heldAtMs[i] as number,
      status: reservationStatuses[columns.status[i] as number] as (typeof reservationStatuses)[number],
      expiresAtMs: columns.expiresAtMs[i] as number,
      endedAtMs: columns.endedAtMs[i] as number,
      seq: columns.seq[i] as number,
    });
  }
}

const memoKinds: readonly Memo['kind'][] = ['held', 'extended'];

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
