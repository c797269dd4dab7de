import type { ScheduleId } from '../../../src/actors/allocator/ids.ts';
import { reservationStatuses } from '../../../src/actors/allocator/reservation.ts';
import type { ProjectionImage } from '../../../src/actors/runtime/ports.ts';
import { blocked, type JournalModel, openPayments } from '../model/journal-model.ts';
import type { Violation } from '../violation.ts';

/** I11: what a recovery would start from is the journal up to there. Remembered requests show in replays. */
export function checkProjection(
  scheduleId: ScheduleId,
  model: JournalModel,
  image: ProjectionImage,
): readonly Violation[] {
  const state = model.at(image.projectedSeq);
  const blockedSeats = [...state.holders.keys()].filter((seat) => state.holders[seat] === blocked);
  const expected = [
    `blocked ${blockedSeats.join(' ')}`,
    ...[...state.reservations.values()]
      .sort((a, b) => a.number - b.number)
      .map((reservation) =>
        [
          reservation.number,
          reservation.userId,
          reservation.status,
          reservation.seats.join(' '),
          reservation.expiresAtMs,
          reservation.endedAtMs,
          reservation.seq,
          reservation.payment?.seq ?? 0,
          reservation.paidAtMs,
        ].join(),
      ),
    ...openPayments(state).map(
      ({ number, payment }) => `open payment ${number} ${payment?.method} ${payment?.holdLeftMs}`,
    ),
  ];
  const projected = [
    `blocked ${[...image.blockedSeats].join(' ')}`,
    ...linesOf(image),
    ...image.openPayments.map(
      ({ number, method, holdLeftMs }) => `open payment ${number} ${method} ${holdLeftMs}`,
    ),
  ];
  const wrong = Array.from(
    { length: Math.max(expected.length, projected.length) },
    (_, index) => index,
  ).filter((index) => expected[index] !== projected[index]);
  return wrong.map((index) => ({
    invariant: 'I11',
    message: `schedule ${scheduleId} is projected as ${projected[index]}, the journal says ${expected[index]}`,
  }));
}

function linesOf({ reservations }: ProjectionImage): readonly string[] {
  let seatOffset = 0;
  return Array.from({ length: reservations.count }, (_, i) => {
    const seatCount = reservations.seatCount[i] ?? 0;
    const seats = reservations.seats.subarray(seatOffset, seatOffset + seatCount);
    seatOffset += seatCount;
    return [
      reservations.number[i],
      reservations.userId[i],
      reservationStatuses[reservations.status[i] ?? -1],
      seats.join(' '),
      reservations.expiresAtMs[i],
      reservations.endedAtMs[i],
      reservations.seq[i],
      reservations.paymentSeq[i],
      reservations.paidAtMs[i],
    ].join();
  });
}
