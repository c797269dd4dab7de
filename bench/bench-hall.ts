import type { ScheduleId, VenueId } from '../src/actors/allocator/ids.ts';
import type { SeatMap } from '../src/actors/allocator/seat-map.ts';
import { emptyState, type ScheduleState } from '../src/actors/allocator/state.ts';
import type { VenueLayout } from '../src/actors/allocator/venue-layout.ts';

/** 1,250 rows of 40 seats: 50,000 seats named R<row>-<seat>. */
export const benchHall = { rows: 1_250, seatsPerRow: 40 } as const;

export function benchLayout(
  rows: number = benchHall.rows,
  seatsPerRow: number = benchHall.seatsPerRow,
): VenueLayout {
  return {
    venueId: 1 as VenueId,
    name: 'Bench hall',
    sections: [
      {
        name: 'Floor',
        rows: Array.from({ length: rows }, (_, row) => ({
          name: `${row}`,
          seats: Array.from({ length: seatsPerRow }, (_, seat) => ({
            seatId: `R${row}-${seat}`,
            number: `${seat}`,
            category: 'Standard',
          })),
        })),
      },
    ],
  };
}

export function benchState(map: SeatMap): ScheduleState {
  return emptyState({
    scheduleId: 1 as ScheduleId,
    map,
    priceMinorOfCategory: [4_500],
    onSaleAtMs: 0,
    seatsPerUserMax: Number.POSITIVE_INFINITY,
    seatsPerReservationMax: 10,
    orphanRule: false,
    holdTtlMs: 300_000,
    holdTotalMaxMs: 900_000,
    paymentMaxMs: 120_000,
  });
}
