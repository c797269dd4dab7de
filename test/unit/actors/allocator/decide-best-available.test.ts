import { describe, expect, test } from 'vitest';
import type { Command } from '../../../../src/actors/allocator/command.ts';
import { decide, isRejection } from '../../../../src/actors/allocator/decide.ts';
import type { Rejection } from '../../../../src/actors/allocator/rejection.ts';
import { SeatMap } from '../../../../src/actors/allocator/seat-map.ts';
import type { ScheduleTerms } from '../../../../src/actors/allocator/state.ts';
import { layoutOf, seatIdsOf } from '../hall-drawing.ts';
import { block, hold, holdBest, ScheduleScript } from './schedule-script.ts';

/**
 * stalls  A  p p p p p p        circle  C  s s s
 *         B  s s s s p p
 */
const map = new SeatMap(
  layoutOf([
    { name: 'stalls', rows: ['pppppp', 'sssspp'] },
    { name: 'circle', rows: ['sss'] },
  ]),
);

interface Row {
  readonly name: string;
  readonly terms?: Partial<ScheduleTerms>;
  readonly given?: readonly Command[];
  readonly command: Command;
}

const rowA = ['A1', 'A2', 'A3', 'A4', 'A5', 'A6'];
const rowB = ['B1', 'B2', 'B3', 'B4', 'B5', 'B6'];
const rowC = ['C1', 'C2', 'C3'];

const chosen: readonly (Row & { readonly seatIds: readonly string[]; readonly totalMinor: number })[] = [
  {
    name: 'the middle of the first row',
    command: holdBest(100, 'ann', 2),
    seatIds: ['A3', 'A4'],
    totalMinor: 2_000,
  },
  {
    name: 'on sale at this very millisecond',
    terms: { onSaleAtMs: 100 },
    command: holdBest(100, 'ann', 6),
    seatIds: rowA,
    totalMinor: 6_000,
  },
  {
    name: 'the nearest row that has room, and there no seat is left alone at either end',
    given: [hold(90, 'bob', ['A3'])],
    command: holdBest(100, 'ann', 4),
    seatIds: ['B1', 'B2', 'B3', 'B4'],
    totalMinor: 8_000,
  },
  {
    name: 'a category, in a row that has two',
    command: holdBest(100, 'ann', 2, { category: 's' }),
    seatIds: ['B3', 'B4'],
    totalMinor: 4_000,
  },
  {
    name: 'a section',
    command: holdBest(100, 'ann', 3, { section: 'circle' }),
    seatIds: rowC,
    totalMinor: 6_000,
  },
  {
    name: 'a category within a section',
    command: holdBest(100, 'ann', 4, { category: 's', section: 'stalls' }),
    seatIds: ['B1', 'B2', 'B3', 'B4'],
    totalMinor: 8_000,
  },
  {
    name: 'seats that need not be adjacent are, where they can',
    command: holdBest(100, 'ann', 3, { section: 'circle', adjacent: false }),
    seatIds: rowC,
    totalMinor: 6_000,
  },
  {
    name: 'seats that need not be adjacent, where no run is left',
    given: [hold(80, 'bob', rowA), hold(85, 'cid', ['B1', 'B3', 'B5', 'B6']), hold(90, 'bob', ['C2'])],
    command: holdBest(100, 'ann', 3, { adjacent: false }),
    seatIds: ['B2', 'B4', 'C1'],
    totalMinor: 6_000,
  },
  {
    name: 'all of the limit of the user',
    terms: { seatsPerUserMax: 2 },
    command: holdBest(100, 'ann', 2),
    seatIds: ['A3', 'A4'],
    totalMinor: 2_000,
  },
  {
    name: 'a single seat, though the orphan rule is on and every run has two',
    terms: { orphanRule: true },
    given: [hold(80, 'bob', rowA), hold(85, 'bob', ['B1', 'B4', 'B5', 'B6']), hold(90, 'cid', ['C3'])],
    command: holdBest(100, 'ann', 1),
    seatIds: ['B3'],
    totalMinor: 2_000,
  },
];

const refused: readonly (Row & { readonly expected: Rejection })[] = [
  {
    name: 'not on sale, one millisecond early',
    terms: { onSaleAtMs: 101 },
    command: holdBest(100, 'ann', 2, { category: 'unheard of' }),
    expected: { code: 'not-on-sale', onSaleAtMs: 101 },
  },
  {
    name: 'a category that the venue lacks',
    command: holdBest(100, 'ann', 2, { category: 'unheard of' }),
    expected: {
      code: 'invalid-request',
      path: 'bestAvailable.category',
      message: 'must be a category of the venue',
    },
  },
  {
    name: 'a section that the venue lacks',
    command: holdBest(100, 'ann', 2, { section: 'unheard of' }),
    expected: {
      code: 'invalid-request',
      path: 'bestAvailable.section',
      message: 'must be a section of the venue',
    },
  },
  {
    name: 'a category that the venue lacks, before a section that it lacks',
    command: holdBest(100, 'ann', 2, { category: 'unheard of', section: 'unheard of' }),
    expected: {
      code: 'invalid-request',
      path: 'bestAvailable.category',
      message: 'must be a category of the venue',
    },
  },
  {
    name: 'sold out, before the limit of the user',
    terms: { seatsPerUserMax: 0 },
    given: [block(90, rowC)],
    command: holdBest(100, 'ann', 1, { section: 'circle' }),
    expected: { code: 'sold-out' },
  },
  {
    name: 'seats are left, but not side by side',
    given: [hold(90, 'bob', ['C2'])],
    command: holdBest(100, 'ann', 2, { section: 'circle' }),
    expected: { code: 'not-enough-adjacent-seats' },
  },
  {
    name: 'more than the longest row has',
    command: holdBest(100, 'ann', 7),
    expected: { code: 'not-enough-adjacent-seats' },
  },
  {
    name: 'nothing is left of what was asked for, though other seats are',
    given: [block(90, rowC)],
    command: holdBest(100, 'ann', 1, { section: 'circle' }),
    expected: { code: 'sold-out' },
  },
  {
    name: 'no seat of the category is in the section',
    command: holdBest(100, 'ann', 1, { category: 'p', section: 'circle' }),
    expected: { code: 'sold-out' },
  },
  {
    name: 'the hall is full',
    given: [block(90, [...rowA, ...rowB, ...rowC])],
    command: holdBest(100, 'ann', 1),
    expected: { code: 'sold-out' },
  },
  {
    name: 'all or none, when seats need not be adjacent (I10)',
    given: [hold(90, 'bob', ['C2'])],
    command: holdBest(100, 'ann', 3, { section: 'circle', adjacent: false }),
    expected: { code: 'not-enough-adjacent-seats' },
  },
  {
    name: 'one seat more than the limit of the user',
    terms: { seatsPerUserMax: 1 },
    command: holdBest(100, 'ann', 2),
    expected: { code: 'seat-limit-exceeded', limit: 1 },
  },
];

describe('hold best available: chosen', () => {
  test.each(chosen)('$name', ({ terms, given = [], command, seatIds, totalMinor }) => {
    const { state } = new ScheduleScript(map, terms).given(given);
    const decision = decide(state, command);
    if (isRejection(decision)) throw new Error(`refused: ${decision.code}`);
    expect(decision).toHaveLength(1);
    const [event] = decision;
    if (event?.type !== 'held') throw new Error('a hold is one held event');
    expect(seatIdsOf(map, event.seats)).toEqual(seatIds);
    expect(event.totalMinor).toBe(totalMinor);
  });
});

describe('hold best available: refused', () => {
  test.each(refused)('$name', ({ terms, given = [], command, expected }) => {
    const { state } = new ScheduleScript(map, terms).given(given);
    expect(decide(state, command)).toEqual(expected);
  });
});

test.each([0, 21])('the edge does not let %i seats through', (quantity) => {
  const { state } = new ScheduleScript(map);
  expect(() => decide(state, holdBest(100, 'ann', quantity))).toThrow('checked at the edge');
});
