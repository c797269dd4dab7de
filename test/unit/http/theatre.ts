import type { PerformanceId, ScheduleId, UserId, VenueId } from '../../../src/actors/allocator/ids.ts';
import { SeatMap } from '../../../src/actors/allocator/seat-map.ts';
import type { VenueLayout } from '../../../src/actors/allocator/venue-layout.ts';
import type { Performance, Schedule } from '../../../src/actors/runtime/catalog.ts';
import type { ReservationView } from '../../../src/actors/runtime/outcome.ts';

/** A hall of eight seats whose names need escaping, and what is on in it. */
const row = (name: string, category: string) => ({
  name,
  seats: ['1', '2', '3', '4'].map((number) => ({
    seatId: `${name}-${number}`,
    number,
    category,
    ...(number === '2' && { gapAfter: true as const, x: 1.5, y: 2 }),
  })),
});

export const layout: VenueLayout = {
  venueId: 1 as VenueId,
  name: 'Théâtre "Odéon"',
  sections: [
    { name: 'Stalls', rows: [row('A', 'Standard')] },
    { name: 'Balcony \\ "left"', rows: [row('Ä', 'Rang 2')] },
  ],
};

export const map = new SeatMap(layout);

export const performance: Performance = {
  performanceId: 1 as PerformanceId,
  name: 'The Tempest',
  venueId: 1 as VenueId,
  currency: 'EUR',
  prices: [
    { category: 'Standard', priceMinor: 4500 },
    { category: 'Rang 2', priceMinor: 2500 },
  ],
  orphanRule: false,
};

export const schedule: Schedule = {
  scheduleId: 1 as ScheduleId,
  performanceId: 1 as PerformanceId,
  startsAtMs: Date.UTC(2026, 11, 24, 19),
};

export const heldAtMs = Date.UTC(2026, 11, 1, 11);

export function reservationView(changes: Partial<ReservationView> = {}): ReservationView {
  return {
    scheduleId: 1 as ScheduleId,
    number: 3 as ReservationView['number'],
    userId: 'ada' as UserId,
    status: 'HELD',
    seats: [0, 4],
    totalMinor: 7000,
    heldAtMs,
    expiresAtMs: heldAtMs + 300_000,
    endedAtMs: 0,
    paidAtMs: 0,
    asOfMs: heldAtMs,
    seq: 7,
    ...changes,
  };
}
