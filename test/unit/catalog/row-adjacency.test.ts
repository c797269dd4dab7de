import { describe, expect, it } from 'vitest';
import { gapsOf, hallPitch, type RowSeat, walkRow } from '../../../src/catalog/row-adjacency.ts';

interface Case {
  readonly name: string;
  /** Seats by their numbers, where they stand; a column is one unit, a line two. */
  readonly drawing: readonly string[];
  /** Order in which the plan lists them; from top to bottom and left to right when absent. */
  readonly listed?: string;
  /** The hall's pitch, where other rows decide it. */
  readonly hallPitch?: number;
  readonly groups: string;
}

const rows: readonly Case[] = [
  { name: 'a row', drawing: ['1 2 3 4'], groups: '1 2 3 4' },
  { name: 'one seat', drawing: ['1'], groups: '1' },
  { name: 'an aisle, though numbers run on', drawing: ['1 2 3     4 5 6'], groups: '1 2 3 | 4 5 6' },
  { name: 'numbers with gaps, without an aisle', drawing: ['1 2 5 6 9'], groups: '1 2 5 6 9' },
  { name: 'letters and inserted seats', drawing: ['A 12 12a X'], groups: 'A 12 12a X' },
  { name: 'odd numbers', drawing: ['1 3 5    7 9'], groups: '1 3 5 | 7 9' },
  { name: 'pairs', drawing: ['1 2    3 4    5 6'], groups: '1 2 | 3 4 | 5 6' },
  { name: 'a pair and one', drawing: ['1 2    3'], groups: '1 2 | 3' },
  { name: 'two pairs', drawing: ['1 2    3 4'], groups: '1 2 | 3 4' },
  {
    name: 'a step of exactly 1.6 pitches',
    drawing: ['1         2         3               4'],
    groups: '1 2 3 4',
  },
  {
    name: 'a step beyond 1.6 pitches',
    drawing: ['1         2         3                4'],
    groups: '1 2 3 | 4',
  },
  {
    name: 'right to left, listed by number',
    drawing: ['5 4 3    2 1'],
    listed: '1 2 3 4 5',
    groups: '1 2 | 3 4 5',
  },
  {
    name: 'from the middle outwards, listed by number',
    drawing: ['7 5 3 1 2 4 6 8'],
    listed: '1 2 3 4 5 6 7 8',
    groups: '7 5 3 1 2 4 6 8',
  },
  {
    name: 'listed out of order',
    drawing: ['1 2 3    4 5'],
    listed: '3 1 5 2 4',
    groups: '1 2 3 | 4 5',
  },
  {
    name: 'listed out of order, right to left: starts at the lower number',
    drawing: ['5 4 3 2 1'],
    listed: '3 1 5 2 4',
    groups: '1 2 3 4 5',
  },
  {
    name: 'listed out of order, names that do not count: starts at the end listed first',
    drawing: ['rose tulip lily'],
    listed: 'lily rose tulip',
    groups: 'lily tulip rose',
  },
  {
    name: 'a curve',
    drawing: ['1                   8', '  2               7', '     3   4    5   6'],
    listed: '1 2 3 4 5 6 7 8',
    groups: '1 2 3 4 5 6 7 8',
  },
  {
    name: 'a curve with an aisle in the middle',
    drawing: ['1                       8', '  2                   7', '     3   4        5   6'],
    listed: '1 2 3 4 5 6 7 8',
    groups: '1 2 3 4 | 5 6 7 8',
  },
  {
    name: 'a row that bends by more than half a circle, listed out of order',
    drawing: ['    1       8', '  2           7', '  3           6', '    4       5'],
    listed: '8 1 7 2 6 3 5 4',
    groups: '1 2 3 4 | 5 6 7 8',
  },
  {
    name: 'a bench, numbered across the table',
    drawing: ['1       2', '3       4', '5       6'],
    groups: '1 3 5 | 6 4 2',
  },
  {
    name: 'a round table',
    drawing: ['  1  2', '6      3', '  5  4'],
    listed: '1 2 3 4 5 6',
    groups: '1 2 3 4 5 6',
  },
  {
    name: 'a round table, listed across',
    drawing: ['  1  2', '6      3', '  5  4'],
    listed: '1 4 2 5 3 6',
    groups: '1 2 3 4 5 6',
  },
  {
    name: 'a round table, listed across, numbered against the clock',
    drawing: ['  2  1', '3      6', '  4  5'],
    listed: '1 4 2 5 3 6',
    groups: '1 2 3 4 5 6',
  },
  {
    name: 'a round table that is not quite round, listed downwards',
    drawing: ['  1  2', '6      3', '  5  4'],
    listed: '6 5 4 3 2 1',
    groups: '6 5 4 3 2 1',
  },
  {
    name: 'a square table with two sides',
    drawing: ['A B C', '', '', 'D E F'],
    groups: 'A B C | F E D',
  },
  {
    name: 'a staggered row',
    drawing: ['1   3   5', '  2   4   6'],
    listed: '1 2 3 4 5 6',
    groups: '1 2 3 4 5 6',
  },
  {
    name: 'single seats between aisles',
    drawing: ['1       2       3'],
    hallPitch: 2,
    groups: '1 | 2 | 3',
  },
  { name: 'wide seats whose numbers run on', drawing: ['1    2    3'], hallPitch: 2, groups: '1 2 3' },
  {
    name: 'wide steps where a number is left out',
    drawing: ['1    3    4'],
    hallPitch: 2,
    groups: '1 | 3 4',
  },
  { name: 'two seats at the two walls', drawing: ['1               2'], hallPitch: 2, groups: '1 | 2' },
];

const withoutPositions = [
  { name: 'numbers that run on', numbers: '1 2 3 4', groups: '1 2 3 4' },
  { name: 'a number left out', numbers: '1 2 3 5 6', groups: '1 2 3 | 5 6' },
  { name: 'even numbers', numbers: '2 4 6 10 12', groups: '2 4 6 | 10 12' },
  { name: 'from the middle outwards', numbers: '5 3 1 2 4 6', groups: '5 3 1 2 4 6' },
  { name: 'downwards', numbers: '4 3 2 1', groups: '4 3 2 1' },
  { name: 'an inserted seat', numbers: '11 12 12a 13', groups: '11 12 12a 13' },
  { name: 'letters', numbers: 'A B C E', groups: 'A B C | E' },
  { name: 'two series', numbers: 'A1 A2 B3 B4', groups: 'A1 A2 | B3 B4' },
  { name: 'labels that do not count', numbers: 'left middle right', groups: 'left middle right' },
];

describe('seats stand beside each other', () => {
  it.each(rows)('$name: $groups', ({ drawing, listed, hallPitch, groups }) => {
    expect(groupsIn(drawn(drawing, listed), hallPitch)).toBe(groups);
  });
});

describe('a round table that is listed around', () => {
  it('stays as listed, however it is turned', () => {
    for (let turn = 0; turn < 100; turn++) {
      const seats = Array.from({ length: 7 }, (_, index) => {
        const angle = (turn / 100 - index / 7) * 2 * Math.PI;
        return { number: String(7 - index), segment: 0, at: { x: Math.cos(angle), y: Math.sin(angle) } };
      });
      expect(groupsIn(seats)).toBe('7 6 5 4 3 2 1');
    }
  });
});

describe('without positions numbers decide', () => {
  it.each(withoutPositions)('$name: $groups', ({ numbers, groups }) => {
    const seats = numbers.split(' ').map((number) => ({ number, segment: 0, at: undefined }));
    expect(groupsIn(seats)).toBe(groups);
    const inOnePlace = seats.map((seat) => ({ ...seat, at: { x: 7, y: 7 } }));
    expect(groupsIn(inOnePlace)).toBe(groups);
    const butOne = seats.map((seat, index) => ({
      ...seat,
      at: index === 0 ? undefined : { x: 9 * index, y: 0 },
    }));
    expect(groupsIn(butOne)).toBe(groups);
  });
});

describe('segments of a row', () => {
  it('are never adjacent, however close they are drawn', () => {
    const seats = drawn(['1 2 3 4']).map((seat, index) => ({ ...seat, segment: index < 1 ? 0 : 1 }));
    expect(groupsIn(seats)).toBe('1 | 2 3 4');
  });

  it('stay apart when the row is put into its physical order', () => {
    const seats = drawn(['4 3 2 1'], '3 1 2 4').map((seat) => ({
      ...seat,
      segment: Number(seat.number) > 2 ? 1 : 0,
    }));
    expect(groupsIn(seats)).toBe('1 2 | 3 4');
  });
});

function drawn(lines: readonly string[], listed?: string): readonly RowSeat[] {
  const seats = lines.flatMap((line, y) =>
    Array.from(line.matchAll(/\S+/g), (match) => ({
      number: match[0],
      segment: 0,
      at: { x: match.index, y: 2 * y },
    })),
  );
  return listed?.split(' ').map((number) => seats.find((seat) => seat.number === number) as RowSeat) ?? seats;
}

function groupsIn(seats: readonly RowSeat[], pitch?: number): string {
  const walk = walkRow(seats);
  const gaps = gapsOf(seats, walk, pitch ?? hallPitch([walk]));
  return walk.order
    .map((index, place) => `${(seats[index] as RowSeat).number}${gaps[place] === true ? ' |' : ''}`)
    .join(' ');
}
