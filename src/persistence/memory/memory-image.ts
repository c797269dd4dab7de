import { reservationStatuses } from '../../actors/allocator/reservation.ts';
import type { MarkColumns, ProjectionImage, ReservationColumns } from '../../actors/runtime/ports.ts';
import { blockedHolder } from '../projection-change.ts';
import type { MemoryMark, MemoryProjection, MemoryReservation } from './memory-projection.ts';

/** The projection as columns, for ShardStore.loadSchedule. */
export function memoryImage(
  projection: MemoryProjection,
  since: { readonly endedSinceMs: number; readonly markedSinceMs: number },
): ProjectionImage {
  const { projectedSeq, lastAtMs, lastReservationNumber, reservations, holders, marks } = projection;
  const blocked = [...holders].filter(([, holder]) => holder === blockedHolder).map(([seat]) => seat);
  const wanted = [...reservations.values()].filter(
    ({ endedAtMs, openPayment }) =>
      endedAtMs === 0 || endedAtMs >= since.endedSinceMs || openPayment !== undefined,
  );
  return {
    projectedSeq,
    lastAtMs,
    lastReservationNumber,
    blockedSeats: Int32Array.from(blocked).sort(),
    reservations: reservationColumns(wanted.sort((a, b) => a.number - b.number)),
    openPayments: wanted.flatMap(({ number, openPayment }) =>
      openPayment === undefined ? [] : [{ number, ...openPayment }],
    ),
    marks: markColumns(marks.filter(({ atMs }) => atMs >= since.markedSinceMs)),
  };
}

function reservationColumns(rows: readonly MemoryReservation[]): ReservationColumns {
  return {
    count: rows.length,
    number: Float64Array.from(rows, (row) => row.number),
    userId: rows.map((row) => row.userId),
    status: Uint8Array.from(rows, (row) => reservationStatuses.indexOf(row.status)),
    seatCount: Uint8Array.from(rows, (row) => row.seats.length),
    seats: Int32Array.from(rows.flatMap((row) => row.seats)),
    totalMinor: Float64Array.from(rows, (row) => row.totalMinor),
    heldAtMs: Float64Array.from(rows, (row) => row.heldAtMs),
    expiresAtMs: Float64Array.from(rows, (row) => row.expiresAtMs),
    endedAtMs: Float64Array.from(rows, (row) => row.endedAtMs),
    seq: Float64Array.from(rows, (row) => row.seq),
    paymentSeq: Float64Array.from(rows, (row) => row.paymentSeq),
    paidAtMs: Float64Array.from(rows, (row) => row.paidAtMs),
  };
}

function markColumns(rows: readonly MemoryMark[]): MarkColumns {
  return {
    count: rows.length,
    seq: Float64Array.from(rows, (row) => row.seq),
    atMs: Float64Array.from(rows, (row) => row.atMs),
    userId: rows.map((row) => row.userId),
    key: rows.map((row) => row.key),
    fingerprint: Float64Array.from(rows, (row) => row.fingerprint),
    number: Float64Array.from(rows, (row) => row.number),
    kind: Uint8Array.from(rows, (row) => row.kind),
    expiresAtMs: Float64Array.from(rows, (row) => row.expiresAtMs),
  };
}
