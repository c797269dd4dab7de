import type { ScheduleId } from '../../actors/allocator/ids.ts';
import type { ReservationPage, ReservationQuery, StoredReservation } from '../../actors/runtime/ports.ts';
import type { MemoryReservation } from './memory-projection.ts';
import type { MemoryStoreData } from './memory-store-data.ts';

export function listMemoryReservations(data: MemoryStoreData, query: ReservationQuery): ReservationPage {
  const { userId, status, scheduleId, limit, after } = query;
  const found: StoredReservation[] = [];
  for (const [id, { projection }] of data.schedules) {
    if (scheduleId !== undefined && id !== scheduleId) continue;
    for (const reservation of projection.reservations.values()) {
      if (reservation.userId !== userId) continue;
      if (status !== undefined && reservation.status !== status) continue;
      const stored = storedReservation(id, reservation);
      if (after === undefined || newestFirst(after, stored) < 0) found.push(stored);
    }
  }
  found.sort(newestFirst);
  return {
    reservations: found.slice(0, limit),
    hasMore: found.length > limit,
    ...(scheduleId !== undefined && {
      asOfSeq: data.schedules.get(scheduleId)?.projection.projectedSeq ?? 0,
    }),
  };
}

export function storedReservation(
  scheduleId: ScheduleId,
  { openPayment: _openPayment, ...reservation }: MemoryReservation,
): StoredReservation {
  return { scheduleId, ...reservation, seats: [...reservation.seats] };
}

type Position = Pick<StoredReservation, 'heldAtMs' | 'scheduleId' | 'number'>;

function newestFirst(a: Position, b: Position): number {
  return b.heldAtMs - a.heldAtMs || b.scheduleId - a.scheduleId || b.number - a.number;
}
