import { describe, expect, test } from 'vitest';
import { FreeSeats } from '../../../../src/actors/allocator/free-seats.ts';
import { strandedSeats } from '../../../../src/actors/allocator/orphan-seats.ts';
import { SeatMap } from '../../../../src/actors/allocator/seat-map.ts';
import type { VenueLayout } from '../../../../src/actors/allocator/venue-layout.ts';
import { freeOf, mapOf, seatIdsOf } from '../hall-drawing.ts';
import { randomFill, randomLayout } from '../random-hall.ts';
import { forEachSeed } from '../seeded-random.ts';

interface Row {
  readonly name: string;
  readonly hall: string;
  readonly free: string;
  readonly selection: readonly string[];
  readonly stranded: readonly string[];
}

const rows: readonly Row[] = [
  { name: 'the end of a row', hall: 'ppppp', free: '.....', selection: ['A2', 'A3'], stranded: ['A1'] },
  { name: 'both sides', hall: 'ppppp', free: '.....', selection: ['A2', 'A4'], stranded: ['A1', 'A3', 'A5'] },
  { name: 'beside a taken seat', hall: 'ppppp', free: 'x....', selection: ['A3'], stranded: ['A2'] },
  { name: 'beside an aisle', hall: 'pppp pp', free: '......', selection: ['A3'], stranded: ['A4'] },
  { name: 'not across an aisle', hall: 'ppp p', free: '....', selection: ['A1', 'A2', 'A3'], stranded: [] },
  {
    name: 'in the middle of a gap in the selection',
    hall: 'ppp',
    free: '...',
    selection: ['A3', 'A1'],
    stranded: ['A2'],
  },
  { name: 'none: two seats stay', hall: 'pppp', free: '....', selection: ['A1', 'A2'], stranded: [] },
  {
    name: 'none: the row is sold whole',
    hall: 'ppp',
    free: '...',
    selection: ['A1', 'A2', 'A3'],
    stranded: [],
  },
  {
    name: 'none: the seat was single before',
    hall: 'pppp',
    free: '.x..',
    selection: ['A3', 'A4'],
    stranded: [],
  },
];

describe('drawn rows', () => {
  test.each(rows)('$name', ({ hall, free, selection, stranded }) => {
    const map = mapOf(hall);
    const ordinals = selection.map((seatId) => map.ordinalOf(seatId) as number);
    expect(seatIdsOf(map, strandedSeats(map, freeOf(map, free), ordinals))).toEqual(stranded);
  });
});

test('random halls: the seats that are single afterwards and were not before', () => {
  let strandedInAll = 0;
  forEachSeed(3_000, (random) => {
    const layout = randomLayout(random);
    const map = new SeatMap(layout);
    const free = new FreeSeats(map);
    free.take(randomFill(random, map));
    const open = map.seatIds.flatMap((_, ordinal) => (free.isFree(ordinal) ? [ordinal] : []));
    const from = random.int(Math.max(open.length, 1));
    const near = open.slice(from, from + random.between(1, 12));
    const selection = random.sample(near, random.between(1, 6));

    const before = singles(layout, (ordinal) => free.isFree(ordinal));
    const after = singles(layout, (ordinal) => free.isFree(ordinal) && !selection.includes(ordinal));
    const expected = after.filter((ordinal) => !before.includes(ordinal));
    expect({ selection, stranded: strandedSeats(map, free, selection) }).toEqual({
      selection,
      stranded: expected,
    });
    strandedInAll += expected.length;
  });
  expect(strandedInAll).toBeGreaterThan(0);
});

/** Free seats without a free neighbour, by walking the rows of the layout. */
function singles(layout: VenueLayout, isFree: (ordinal: number) => boolean): readonly number[] {
  const found: number[] = [];
  let ordinal = 0;
  for (const { seats } of layout.sections.flatMap((section) => section.rows)) {
    for (const [index, seat] of seats.entries()) {
      const hasLeft = index > 0 && seats[index - 1]?.gapAfter !== true && isFree(ordinal - 1);
      const hasRight = index + 1 < seats.length && seat.gapAfter !== true && isFree(ordinal + 1);
      if (isFree(ordinal) && !hasLeft && !hasRight) found.push(ordinal);
      ordinal += 1;
    }
  }
  return found;
}
