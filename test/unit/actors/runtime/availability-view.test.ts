import { describe, expect, test } from 'vitest';
import type { VenueId } from '../../../../src/actors/allocator/ids.ts';
import { SeatMap } from '../../../../src/actors/allocator/seat-map.ts';
import { AvailabilityView } from '../../../../src/actors/runtime/availability-view.ts';
import { mapOf } from '../hall-drawing.ts';
import { randomLayout } from '../random-hall.ts';
import { forEachSeed } from '../seeded-random.ts';

/** The bitmap as API.md describes it, bit by bit. */
function naiveBitmap(isFree: readonly boolean[]): readonly number[] {
  const bytes = new Array<number>(Math.ceil(isFree.length / 8)).fill(0);
  for (const [seat, free] of isFree.entries()) {
    const index = Math.floor(seat / 8);
    if (free) bytes[index] = (bytes[index] as number) + 2 ** (seat % 8);
  }
  return bytes;
}

function expectView(view: AvailabilityView, isFree: readonly boolean[]): void {
  const freeIds = view.map.seatIds.filter((_, seat) => isFree[seat]);
  expect([...view.toBitmap()]).toEqual(naiveBitmap(isFree));
  expect(JSON.parse(view.toSeatIdsJson())).toEqual(freeIds);
  expect(view.available).toBe(freeIds.length);
  expect(isFree.map((_, seat) => view.isFree(seat))).toEqual(isFree);
}

test('random halls: bitmap, ids and count follow every change', () => {
  forEachSeed(150, (random) => {
    const map = new SeatMap(randomLayout(random));
    const isFree = map.seatIds.map(() => random.chance(60));
    const view = new AvailabilityView(map, 10, (seat) => isFree[seat] === true);
    expectView(view, isFree);
    for (let seq = 11; seq < 16; seq++) {
      const seats = map.seatIds.map((_, seat) => seat);
      const taken = random.sample(
        seats.filter((seat) => isFree[seat]),
        random.int(4),
      );
      const freed = random.sample(
        seats.filter((seat) => !isFree[seat]),
        random.int(4),
      );
      view.apply({ seq, taken, freed });
      for (const seat of taken) isFree[seat] = false;
      for (const seat of freed) isFree[seat] = true;
      expect(view.seq).toBe(seq);
      expectView(view, isFree);
    }
  });
});

test('bit i is seat i of the layout, whatever blocks the hall has', () => {
  const view = new AvailabilityView(mapOf('pp pp', 'ppppp'), 0, (seat) => seat === 2 || seat === 8);
  expect([...view.toBitmap()]).toEqual([0b0000_0100, 0b0000_0001]);
  expect(view.toSeatIdsJson()).toBe('["A3","B5"]');
});

test.each([
  [1, 1],
  [8, 1],
  [9, 2],
  [32, 4],
  [33, 5],
])('%i seats are %i bytes', (seats, bytes) => {
  const bitmap = new AvailabilityView(mapOf('p'.repeat(seats)), 0, () => true).toBitmap();
  expect(bitmap).toHaveLength(bytes);
  expect([...bitmap]).toEqual(naiveBitmap(new Array(seats).fill(true)));
});

test('the bitmap is a copy', () => {
  const view = new AvailabilityView(mapOf('pp'), 0, () => true);
  view.toBitmap().fill(0);
  expect([...view.toBitmap()]).toEqual([0b11]);
});

test('ids are written as JSON, whatever they contain', () => {
  const seatIds = ['A "1"', 'B\\2', 'Ü-3'];
  const seats = seatIds.map((seatId) => ({ seatId, number: '1', category: 'c' }));
  const sections = [{ name: 's', rows: [{ name: 'A', seats }] }];
  const map = new SeatMap({ venueId: 1 as VenueId, name: 'hall', sections });
  const view = new AvailabilityView(map, 0, () => true);
  expect(JSON.parse(view.toSeatIdsJson())).toEqual(seatIds);
});

test('a full hall is an empty list', () => {
  expect(new AvailabilityView(mapOf('pp'), 0, () => false).toSeatIdsJson()).toBe('[]');
});

describe('I6: changes are applied in seq order', () => {
  test.each([2, 3, 5])('not %i after 3', (seq) => {
    const view = new AvailabilityView(mapOf('pp'), 3, () => true);
    expect(() => view.apply({ seq, taken: [0], freed: [] })).toThrow('I6');
    expect(view.available).toBe(2);
  });
});
