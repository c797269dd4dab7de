import type { VenueId } from '../../../src/actors/allocator/ids.ts';
import type { SeatMap } from '../../../src/actors/allocator/seat-map.ts';
import type { LayoutRow, LayoutSeat, VenueLayout } from '../../../src/actors/allocator/venue-layout.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Lengths around the edges of 32-bit words, where searches go wrong. */
const edgeLengths = [1, 2, 3, 31, 32, 33, 63, 64, 65, 96, 97];

/** A hall of 1 to 3 sections and up to 12 rows, with aisles, mixed categories and every kind of order. */
export function randomLayout(random: SeededRandom): VenueLayout {
  const categories = ['p', 's', 't'].slice(0, random.between(1, 3));
  const order = random.pick(['none', 'all', 'some'] as const);
  const sections = Array.from({ length: random.between(1, 3) }, (_, section) => ({
    name: `section ${section}`,
    rows: Array.from({ length: random.between(1, 4) }, (_, row) =>
      randomRow(random, `${section}.${row}`, categories, order),
    ),
  }));
  return { venueId: 1 as VenueId, name: 'Random hall', sections };
}

function randomRow(
  random: SeededRandom,
  name: string,
  categories: readonly string[],
  order: 'none' | 'all' | 'some',
): LayoutRow {
  const length = random.chance(40) ? random.pick(edgeLengths) : random.between(1, 40);
  const aislePercent = random.pick([0, 0, 5, 20, 60]);
  const mixedPercent = random.pick([0, 0, 10, 50]);
  const hasMiddleAisle = random.chance(30);
  let category = random.pick(categories);
  const seats = Array.from({ length }, (_, index): LayoutSeat => {
    if (random.chance(mixedPercent)) category = random.pick(categories);
    const isGap = random.chance(aislePercent) || (hasMiddleAisle && index + 1 === length >> 1);
    const number = `${index + 1}`;
    return { seatId: `${name}-${number}`, number, category, ...(isGap ? { gapAfter: true } : undefined) };
  });
  const isMeasured = order === 'all' || (order === 'some' && random.chance(50));
  // Few distances, so that some rows are equally near.
  return { name, seats, ...(isMeasured ? { stageDistance: random.int(4) * 1.5 } : undefined) };
}

/** Ordinals to take so that a part of the hall is full: scattered, or in runs. */
export function randomFill(random: SeededRandom, map: SeatMap): readonly number[] {
  const percent = random.pick([0, 10, 50, 80, 95, 99, 100]);
  const runMax = random.pick([1, 1, 4, 12]);
  const taken: number[] = [];
  let isTaken = false;
  let left = 0;
  for (let ordinal = 0; ordinal < map.seatCount; ordinal++) {
    if (left === 0) {
      isTaken = random.chance(percent);
      left = random.between(1, runMax);
    }
    left -= 1;
    if (isTaken) taken.push(ordinal);
  }
  return taken;
}
