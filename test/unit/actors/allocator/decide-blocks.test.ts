import { describe, expect, test } from 'vitest';
import type { Command } from '../../../../src/actors/allocator/command.ts';
import { type Decision, decide } from '../../../../src/actors/allocator/decide.ts';
import { mapOf } from '../hall-drawing.ts';
import { block, cancel, hold, ScheduleScript, unblock } from './schedule-script.ts';

const map = mapOf('pppp', 'pppp');

interface Row {
  readonly name: string;
  readonly given?: readonly Command[];
  readonly command: Command;
  readonly expected: Decision;
}

const blocking: readonly Row[] = [
  {
    name: 'free seats',
    command: block(100, ['A2', 'A1']),
    expected: [{ type: 'blocked', seq: 1, atMs: 100, seats: [1, 0] }],
  },
  {
    name: 'all seats of the hall at once: no limit of a reservation applies',
    command: block(100, [...map.seatIds]),
    expected: [{ type: 'blocked', seq: 1, atMs: 100, seats: [0, 1, 2, 3, 4, 5, 6, 7] }],
  },
  {
    name: 'what is blocked already stays out of the event',
    given: [block(90, ['A1'])],
    command: block(100, ['A1', 'A2']),
    expected: [{ type: 'blocked', seq: 2, atMs: 100, seats: [1] }],
  },
  {
    name: 'blocked seats alone: it is so already',
    given: [block(90, ['A1', 'A2'])],
    command: block(100, ['A2', 'A1']),
    expected: [],
  },
  {
    name: 'all or none: one held seat refuses the rest (I10)',
    given: [block(80, ['A1']), hold(90, 'ann', ['A2'])],
    command: block(100, ['A1', 'A2', 'A3']),
    expected: { code: 'seats-taken', conflictingSeatIds: ['A2'] },
  },
  {
    name: 'the seat of a cancelled reservation is free',
    given: [hold(80, 'ann', ['A1']), cancel(90, 'ann', 1)],
    command: block(100, ['A1']),
    expected: [{ type: 'blocked', seq: 3, atMs: 100, seats: [0] }],
  },
  {
    name: 'an unknown seat',
    command: block(100, ['A1', 'Z1']),
    expected: { code: 'unknown-seats', seatIds: ['Z1'] },
  },
  {
    name: 'a repeated seat',
    command: block(100, ['A1', 'A1']),
    expected: { code: 'duplicate-seats', seatIds: ['A1'] },
  },
];

const unblocking: readonly Row[] = [
  {
    name: 'blocked seats',
    given: [block(90, ['A1', 'A2', 'A3'])],
    command: unblock(100, ['A3', 'A1']),
    expected: [{ type: 'unblocked', seq: 2, atMs: 100, seats: [2, 0] }],
  },
  { name: 'free seats: it is so already', command: unblock(100, ['A1']), expected: [] },
  {
    name: 'a held seat is not blocked and stays held',
    given: [hold(80, 'ann', ['A1']), block(90, ['A2'])],
    command: unblock(100, ['A1', 'A2']),
    expected: [{ type: 'unblocked', seq: 3, atMs: 100, seats: [1] }],
  },
  {
    name: 'an unknown seat',
    command: unblock(100, ['Z1']),
    expected: { code: 'unknown-seats', seatIds: ['Z1'] },
  },
  {
    name: 'a repeated seat',
    command: unblock(100, ['A1', 'A2', 'A1']),
    expected: { code: 'duplicate-seats', seatIds: ['A1'] },
  },
];

const decides = ({ given = [], command, expected }: Row): void => {
  const { state } = new ScheduleScript(map).given(given);
  expect(decide(state, command)).toEqual(expected);
};

describe('block', () => {
  test.each(blocking)('$name', decides);
});
describe('unblock', () => {
  test.each(unblocking)('$name', decides);
});
