import type { PerformanceId, ScheduleId, UserId, VenueId } from '../../src/actors/allocator/ids.ts';
import type { LayoutRow, LayoutSection, VenueLayout } from '../../src/actors/allocator/venue-layout.ts';
import type { Performance } from '../../src/actors/runtime/catalog.ts';
import { readHall } from './model/hall.ts';
import type { Prng } from './prng.ts';
import { type Sale, startWallMs, type World } from './world.ts';

const categories = ['gold', 'silver', 'bronze'] as const;

export function generateWorld(prng: Prng): World {
  const venueCount = prng.between(1, 2);
  const venues = Array.from({ length: venueCount }, (_, index) => generateVenue(prng, index + 1));
  const performances: Performance[] = [];
  const sales: Sale[] = [];
  const scheduleCount = prng.between(1, 3);
  for (let id = 1; id <= scheduleCount; id++) {
    const layout = prng.pick(venues);
    const performance = generatePerformance(prng, id, layout);
    const onSaleAtMs = prng.chance(0.1) ? startWallMs + prng.between(1, 20_000) : 0;
    performances.push(performance);
    sales.push({
      scheduleId: id as ScheduleId,
      schedule: {
        scheduleId: id as ScheduleId,
        performanceId: performance.performanceId,
        startsAtMs: startWallMs + 1_000_000,
        ...(onSaleAtMs === 0 ? undefined : { onSaleAtMs }),
      },
      hall: readHall(layout),
      priceMinorOf: new Map(performance.prices.map(({ category, priceMinor }) => [category, priceMinor])),
      seatsPerUserMax: performance.seatsPerUserMax ?? Number.POSITIVE_INFINITY,
      orphanRule: performance.orphanRule,
      onSaleAtMs,
    });
  }
  const users = Array.from({ length: prng.between(2, 5) }, (_, index) => `user-${index + 1}` as UserId);
  return {
    venues,
    performances,
    sales,
    users,
    // Some can pay for nothing, some for a while.
    points: users.map(() => prng.pick([0, prng.between(500, 8_000), prng.between(20_000, 60_000)])),
    shardCount: prng.between(1, 3),
    limits: {
      holdTtlMs: 20_000,
      holdTotalMaxMs: 30_000,
      paymentMaxMs: 15_000,
      payWaitMaxMs: 2_000,
      seatsPerReservationMax: 10,
      seatsPerUserMax: Number.POSITIVE_INFINITY,
      mailboxMax: prng.weighted([
        [4, 1000],
        [1, 3],
      ]),
      batchRowsMax: prng.weighted([
        [3, 1000],
        [2, 2],
      ]),
      // Shorter than a hold lasts, so that only its rule keeps an actor awake; or longer.
      idleActorMs: prng.pick([5_000, 30_000]),
    },
  };
}

function generatePerformance(prng: Prng, id: number, layout: VenueLayout): Performance {
  return {
    performanceId: id as PerformanceId,
    name: `performance ${id}`,
    venueId: layout.venueId,
    currency: 'EUR',
    prices: categories.map((category, index) => ({ category, priceMinor: 1_000 * (index + 1) + id })),
    ...(prng.chance(0.3) ? { seatsPerUserMax: prng.between(3, 8) } : undefined),
    orphanRule: prng.chance(0.3),
  };
}

/** 8 to 60 seats, so that people get in each other's way. */
function generateVenue(prng: Prng, id: number): VenueLayout {
  const wantedSeats = prng.between(8, 60);
  const rowSeatsMax = prng.weighted([
    [6, 9],
    // A row that does not fit into one 32-bit word.
    [1, 45],
  ]);
  const sectionCount = prng.between(1, 3);
  const rowsOf: LayoutRow[][] = Array.from({ length: sectionCount }, () => []);
  const distances = prng.weighted(['all', 'some', 'none'].map((value) => [1, value] as const));
  let seatCount = 0;
  for (let rowIndex = 0; seatCount < wantedSeats; rowIndex++) {
    const length = Math.min(prng.between(2, rowSeatsMax), Math.max(2, wantedSeats - seatCount));
    const isMeasured = distances === 'all' || (distances === 'some' && prng.chance(0.7));
    const row = generateRow(prng, `${id}${String.fromCharCode(65 + rowIndex)}`, length, isMeasured);
    (rowsOf[rowIndex % sectionCount] as LayoutRow[]).push(row);
    seatCount += length;
  }
  const sections: LayoutSection[] = rowsOf
    .filter((rows) => rows.length > 0)
    .map((rows, index) => ({ name: `section ${index + 1}`, rows }));
  return { venueId: id as VenueId, name: `hall ${id}`, sections };
}

function generateRow(prng: Prng, name: string, length: number, isMeasured: boolean): LayoutRow {
  const rowCategory = prng.pick(categories);
  const isMixed = prng.chance(0.3);
  return {
    name,
    ...(isMeasured ? { stageDistance: prng.between(1, 6) } : undefined),
    seats: Array.from({ length }, (_, index) => ({
      seatId: `${name}${index + 1}`,
      number: `${index + 1}`,
      category: isMixed ? prng.pick(categories) : rowCategory,
      ...(prng.chance(0.12) ? { gapAfter: true as const } : undefined),
    })),
  };
}
