import { describe, expect, test } from 'vitest';
import type { VenueId } from '../../../../src/actors/allocator/ids.ts';
import { SeatMap } from '../../../../src/actors/allocator/seat-map.ts';
import { type LayoutSeat, seatsPerVenueMax } from '../../../../src/actors/allocator/venue-layout.ts';
import { layoutOf, mapOf } from '../hall-drawing.ts';
import { randomLayout } from '../random-hall.ts';
import { forEachSeed } from '../seeded-random.ts';

const map = new SeatMap(
  layoutOf([
    { name: 'stalls', rows: ['pp pp', 'psp'], stageDistances: [5, 1] },
    { name: 'circle', rows: ['ss'], stageDistances: [1] },
  ]),
);

test('ordinals are the seats in the order of the layout', () => {
  expect(map.seatIds).toEqual(['A1', 'A2', 'A3', 'A4', 'B1', 'B2', 'B3', 'C1', 'C2']);
  expect(map.seatIds.map((seatId) => map.ordinalOf(seatId))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(map.ordinalOf('D1')).toBeUndefined();
});

test('a seat knows its place and its category', () => {
  const seat = map.ordinalOf('B2') as number;
  expect(map.sections[map.sectionOf(seat)]).toBe('stalls');
  expect(map.rowName(seat)).toBe('B');
  expect(map.seatNumber(seat)).toBe('2');
  expect(map.categories[map.categoryOf(seat)]).toBe('s');
});

test('blocks are numbered from the stage outwards, equally near rows as in the layout', () => {
  const firstSeats = [...map.blockFirstOrdinal].map((ordinal) => map.seatIds[ordinal]);
  expect(firstSeats).toEqual(['B1', 'C1', 'A1', 'A3']);
  expect([...map.blockLength]).toEqual([3, 2, 2, 2]);
  expect([...map.blockRowLast]).toEqual([0, 1, 3, 3]);
});

test('a block with two categories has none of its own', () => {
  const names = [...map.blockCategory].map((category) =>
    category === -1 ? 'mixed' : map.categories[category],
  );
  expect(names).toEqual(['mixed', 's', 'p', 'p']);
});

test('the middle of the row is measured from each of its blocks', () => {
  expect([...mapOf('ppp ppp pp').blockMiddleDoubled]).toEqual([8, 2, -4]);
});

test('a gap behind the last seat of a row ends nothing but the row', () => {
  const layout = layoutOf([{ name: 'stalls', rows: ['pp '] }]);
  expect(new SeatMap(layout).blockCount).toBe(1);
});

test('one row without a distance, and all are tried as in the layout', () => {
  const mixed = layoutOf([
    { name: 'stalls', rows: ['pp'], stageDistances: [9] },
    { name: 'circle', rows: ['pp'] },
  ]);
  expect([...new SeatMap(mixed).blockFirstOrdinal]).toEqual([0, 2]);
});

test('random halls: every seat has a bit of its own, in its block, beside its neighbour', () => {
  forEachSeed(300, (random) => {
    const layout = randomLayout(random);
    const hall = new SeatMap(layout);
    const seats = layout.sections.flatMap((section) => section.rows.flatMap((row) => row.seats));
    expect(new Set(hall.bitOf).size).toBe(hall.seatCount);
    const misplaced = seats.filter((seat, ordinal) => {
      const block = hall.blockOf(ordinal);
      const indexInBlock = ordinal - (hall.blockFirstOrdinal[block] as number);
      const lastInBlock = (hall.blockLength[block] as number) - 1;
      return !(
        hall.bitOf[ordinal] === (hall.blockFirstWord[block] as number) * 32 + indexInBlock &&
        indexInBlock >= 0 &&
        indexInBlock <= lastInBlock &&
        (seat.gapAfter !== true || indexInBlock === lastInBlock) &&
        hall.categories[hall.categoryOf(ordinal)] === seat.category
      );
    });
    expect(misplaced).toEqual([]);
  });
});

describe('a layout that did not pass the import is a bug', () => {
  const hallOf = (seats: readonly LayoutSeat[]) =>
    new SeatMap({
      venueId: 1 as VenueId,
      name: 'hall',
      sections: [{ name: 's', rows: [{ name: 'A', seats }] }],
    });
  const seat = (seatId: string): LayoutSeat => ({ seatId, number: '1', category: 'c' });

  test('without seats', () => {
    expect(() => hallOf([])).toThrow('at least one seat');
  });
  test('with one seat too many', () => {
    const seats = Array.from({ length: seatsPerVenueMax + 1 }, (_, index) => seat(`${index}`));
    expect(() => hallOf(seats)).toThrow('at most 200,000 seats');
  });
  test('with a seat id twice', () => {
    expect(() => hallOf([seat('A1'), seat('A1')])).toThrow('unique');
  });
});
