import { describe, expect, test } from 'vitest';
import { adjacentSeatsMax, FreeSeats } from '../../../../src/actors/allocator/free-seats.ts';
import { SeatMap } from '../../../../src/actors/allocator/seat-map.ts';
import { mapOf } from '../hall-drawing.ts';
import { randomFill, randomLayout } from '../random-hall.ts';
import { forEachSeed } from '../seeded-random.ts';

const isSet = (bitmap: Int32Array, bit: number): boolean =>
  (((bitmap[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1;

/** Both summaries of every block and length, by looking at every run of free seats. */
function expectSummaries(map: SeatMap, free: FreeSeats, isFree: readonly boolean[]): void {
  const found: string[] = [];
  const expected: string[] = [];
  for (let block = 0; block < map.blockCount; block++) {
    const runs = runLengths(map, block, isFree);
    for (let length = 1; length <= adjacentSeatsMax; length++) {
      const place = `runs of ${runs} in block ${block}, ${length} seats:`;
      const [fits, cleanly] = [free.blocksThatFit(length), free.blocksThatFitCleanly(length)];
      found.push(`${place} ${isSet(fits, block)} ${isSet(cleanly, block)}`);
      const canFit = runs.some((run) => run >= length);
      expected.push(`${place} ${canFit} ${runs.some((run) => run === length || run >= length + 2)}`);
    }
  }
  expect(found).toEqual(expected);
}

function runLengths(map: SeatMap, block: number, isFree: readonly boolean[]): readonly number[] {
  const first = map.blockFirstOrdinal[block] as number;
  const seats = isFree.slice(first, first + (map.blockLength[block] as number));
  return seats
    .map((free) => (free ? '.' : ' '))
    .join('')
    .split(' ')
    .map((run) => run.length)
    .filter((run) => run > 0);
}

describe('random halls', () => {
  test('bitmap, count and summaries follow every take and release', () => {
    forEachSeed(400, (random) => {
      const map = new SeatMap(randomLayout(random));
      const free = new FreeSeats(map);
      const isFree = new Array<boolean>(map.seatCount).fill(true);
      const fill = randomFill(random, map);
      free.take(fill);
      for (const ordinal of fill) isFree[ordinal] = false;
      for (let step = 0; step < 8; step++) {
        const takes = random.chance(50);
        const able = isFree.flatMap((now, ordinal) => (now === takes ? [ordinal] : []));
        const chosen = random.sample(able, random.between(0, 6));
        if (takes) free.take(chosen);
        else free.release(chosen);
        for (const ordinal of chosen) isFree[ordinal] = !takes;
      }
      expect(isFree.map((_, ordinal) => free.isFree(ordinal))).toEqual(isFree);
      expect(free.count).toBe(isFree.filter(Boolean).length);
      expectSummaries(map, free, isFree);
    });
  });
});

test.each([1, 2, 20, 21, 22, 30, 31, 32, 33, 64, 65, 96])('an empty row of %i seats', (length) => {
  const map = mapOf('p'.repeat(length));
  expectSummaries(map, new FreeSeats(map), new Array(length).fill(true));
});

test('bits behind the last seat of a block are never free', () => {
  const map = mapOf('p'.repeat(33), 'pp');
  const bits = [...new FreeSeats(map).words].map((word) => (word >>> 0).toString(2));
  expect(bits).toEqual(['1'.repeat(32), '1', '11']);
});

describe('I1: a seat is taken once and released once', () => {
  const map = mapOf('pp', 'pp');
  test('taken twice', () => {
    const free = new FreeSeats(map);
    free.take([1]);
    expect(() => free.take([1])).toThrow('I1');
  });
  test('taken twice in one call', () => {
    expect(() => new FreeSeats(map).take([0, 0])).toThrow('I1');
  });
  test('released while free', () => {
    expect(() => new FreeSeats(map).release([3])).toThrow('I1');
  });
});
